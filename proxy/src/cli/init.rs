//! `dockgate init`: the smallest configuration for a tool.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, builder::PossibleValuesParser};

use crate::{
    config::{self, cure_of_name},
    error::Error,
    listener::Address,
    preset::{self, Client, Preset},
};

/// Which tools, and where.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
Examples:
  dockgate init traefik >dockgate.yaml
      what Traefik needs, at the socket /run/dockgate/traefik.sock
  dockgate init --listen 127.0.0.1:2375 --output dockgate.yaml traefik
      at an address; a file that is there is kept, unless --force is given
  dockgate init --folder /home/me/projects devcontainers
      a tool that makes containers, which may mount this folder
  dockgate init traefik watchtower dozzle
      three tools, each at a socket of its own")]
pub struct Init {
    /// The tools; without one, it is asked for on a terminal
    #[arg(value_name = "TOOL", value_parser = PossibleValuesParser::new(preset::names()), hide_possible_values = true)]
    tools: Vec<String>,
    /// List the tools
    #[arg(long)]
    list: bool,
    /// Where the tool is to ask, if it is one: HOST:PORT, tcp://HOST:PORT or unix:///PATH; without it,
    /// unix:///run/dockgate/TOOL.sock
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The Docker daemon: unix:///PATH, a path, or tcp://HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    upstream: Option<String>,
    /// A folder of this machine that containers may mount, with all below it; may be repeated
    #[arg(long = "folder", value_name = "PATH", value_parser = folder)]
    folders: Vec<String>,
    /// The file to write; without it, standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

impl Init {
    /// Writes the configuration.
    ///
    /// # Errors
    /// Where no tool is named and nobody can be asked, an address is none, or the file can't be written.
    pub fn run(&self) -> Result<(), Error> {
        if self.list {
            let _ = io::stdout().lock().write_all(list().as_bytes());
            return Ok(());
        }
        let tools = if self.tools.is_empty() { vec![asked()?] } else { self.tools.clone() };
        let clients = self.clients(&tools)?;
        let config = preset::config(&clients, self.upstream.clone(), &self.folders);
        let text = commented(&clients) + &config::write(&config);
        if let Some(file) = &self.output {
            return self.write(file, &text);
        }
        // Whoever closed it has seen enough.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        Ok(())
    }

    fn clients(&self, tools: &[String]) -> Result<Vec<Client>, Error> {
        if tools.len() > 1 && self.listen.is_some() {
            return Err(wrong("--listen", self.listen.as_deref(), "is for one tool: leave it out"));
        }
        let mut clients: Vec<Client> = Vec::new();
        for tool in tools {
            // clap has looked at what was given, `asked` at what was answered.
            let Some((name, preset)) = known(tool) else { continue };
            if clients.iter().all(|client| client.name != name) {
                let address = self.address(name)?;
                clients.push(Client { name, preset, address });
            }
        }
        Ok(clients)
    }

    /// Where a tool is to ask. Whoever reaches an address is taken for the tool, so that without a word
    /// it is a socket, for which there are permissions.
    fn address(&self, tool: &str) -> Result<Address, Error> {
        let Some(listen) = &self.listen else {
            return Ok(Address::Unix(format!("/run/dockgate/{tool}.sock").into()));
        };
        listen.parse().map_err(|problem: String| wrong("--listen", Some(listen), &problem))
    }

    fn write(&self, file: &Path, text: &str) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        options.write(true).truncate(self.force).create(self.force).create_new(!self.force);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Content {
                path: file.to_owned(),
                problem: "it is there already: --force writes over it".to_owned(),
            },
            _ => Error::File { path: file.to_owned(), error },
        };
        options.open(file).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
        eprintln!("dockgate: wrote {0}. Next: dockgate check {0}", file.display());
        Ok(())
    }
}

fn known(tool: &str) -> Option<(&'static str, Preset)> {
    let name = preset::names().find(|name| *name == tool)?;
    Some((name, preset::find(name)?))
}

/// Asks which tool it is, until there is one.
fn asked() -> Result<String, Error> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(nobody());
    }
    let names: Vec<_> = preset::names().collect();
    for (number, name) in names.iter().enumerate() {
        let about = preset::find(name).map(|preset| preset.about).unwrap_or_default();
        eprintln!("{:>3}  {name:<16} {about}", number + 1);
    }
    for line in prompted(stdin.lock()) {
        let answer = line.trim().to_lowercase();
        let by_number =
            answer.parse().ok().and_then(|number: usize| names.get(number.checked_sub(1)?));
        match by_number.or_else(|| names.iter().find(|name| **name == answer)) {
            Some(name) => return Ok((*name).to_owned()),
            None if answer.is_empty() => {}
            None => eprintln!("there is no {answer:?}: {}", cure_of_name(&answer, &names)),
        }
    }
    eprintln!();
    Err(nobody())
}

/// Lines of a person, who is asked before each.
fn prompted(input: io::StdinLock<'static>) -> impl Iterator<Item = String> {
    let mut lines = input.lines().map_while(Result::ok);
    std::iter::from_fn(move || {
        eprint!("Which tool, by name or number? ");
        lines.next()
    })
}

fn nobody() -> Error {
    let names: Vec<_> = preset::names().collect();
    let problem = format!("is named by nobody: give one of {}", names.join(", "));
    wrong("TOOL", None, &problem)
}

fn wrong(name: &'static str, value: Option<&str>, problem: &str) -> Error {
    let value = value.unwrap_or_default().to_owned();
    Error::Value { name, value, problem: problem.to_owned() }
}

fn folder(text: &str) -> Result<String, String> {
    let is_absolute = Path::new(text).is_absolute();
    is_absolute.then(|| text.to_owned()).ok_or_else(|| "give an absolute path".to_owned())
}

/// A table of the tools.
fn list() -> String {
    let mut table = format!("{:<16} WHAT IT DOES\n", "TOOL");
    for (name, preset) in preset::names().filter_map(|name| Some((name, preset::find(name)?))) {
        let _ = writeln!(table, "{name:<16} {}: {}", preset.title, preset.about);
    }
    table
}

/// Comments for the beginning of the file: what it is for, and what to know.
fn commented(clients: &[Client]) -> String {
    let mut text = String::new();
    for Client { preset, address, .. } in clients {
        let _ = writeln!(text, "# {}: {}. It asks at {address}.", preset.title, preset.about);
        if let Address::Tcp(_) = address {
            let warning = format!("Whoever reaches this address is taken for {}.", preset.title);
            let _ = writeln!(text, "#\n{}", super::comment(&warning));
        }
        for note in &preset.notes {
            let _ = writeln!(text, "#\n{}", super::comment(note));
        }
        text += "#\n";
    }
    text
}
