//! Reading the configuration from a file.

use std::{
    env,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{
    Config, Document, Format, Pointer, Problems, document::LARGEST_FILE, report, shape,
    substitute::Variables,
};
use crate::error::Error;

/// What a file has come to.
pub struct Read<T = Config> {
    /// Its text, to show where something is.
    pub document: Document,
    /// What is right of it. It is complete only if no problem is fatal; until then it serves to find
    /// more that is wrong. None where nothing of the text can be read.
    pub content: Option<T>,
    /// What is wrong with it.
    pub problems: Problems,
    /// What is not in `config` as it was written.
    blanks: Vec<Pointer>,
}

/// Where the configuration is if nobody says.
const USUAL: [&str; 2] = ["dockgate.yaml", "/etc/dockgate/dockgate.yaml"];

/// The configuration file where none is named: that of `DOCKGATE_CONFIG`, or a usual one that is
/// there.
pub fn find(variables: &Variables) -> Option<PathBuf> {
    let named = variables("DOCKGATE_CONFIG").ok().filter(|path| !path.is_empty());
    let usual = || USUAL.iter().map(PathBuf::from).find(|path| path.exists());
    named.map(PathBuf::from).or_else(usual)
}

/// Reads a configuration file, or another one that is read like it.
///
/// # Errors
/// Where the file can't be read. What is wrong with its text is a problem of it.
pub fn read<T: Format>(path: &Path) -> Result<Read<T>, Error> {
    Ok(read_text(&path.display().to_string(), &text(path)?, &|name| env::var(name)))
}

/// The text of a configuration file.
///
/// # Errors
/// Where the file can't be read.
pub fn text(path: &Path) -> Result<Vec<u8>, Error> {
    let wrong = |error| Error::File { path: path.to_owned(), error };
    let mut text = Vec::new();
    let file = File::open(path).map_err(wrong)?;
    // One byte more shows that it is too large.
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut text).map_err(wrong)?;
    Ok(text)
}

/// Reads the text of a file of this name, with these variables.
pub fn read_text<T: Format>(name: &str, text: &[u8], variables: &Variables) -> Read<T> {
    let mut problems = Problems::default();
    let (mut document, root) = Document::read(name, text, variables, &mut problems);
    let Some(root) = root else {
        return Read { document, content: None, problems, blanks: Vec::new() };
    };
    let remains = shape::check(T::schema(), &root, &mut document, &mut problems);
    let content: Option<T> = serde_json::from_value(remains.value).ok();
    if content.is_none() && !problems.are_fatal() {
        // The words of the error may have values from outside in them.
        problems.wrong(&Pointer::root(), "it fits the schema, and still can't be read", "");
    }
    Read { document, content, problems, blanks: remains.blanks }
}

impl<T> Read<T> {
    /// Why it can't be used, for whoever wrote it.
    pub fn refused(&self) -> Error {
        Error::Config {
            text: report::text(&self.problems, &self.document, false),
            lines: report::lines(&self.problems, &self.document),
        }
    }

    /// Finds what the file means, and adds what is wrong with that. None if anything is
    /// wrong.
    ///
    /// What `mean` says about places that were not read is left out, and so is what it finds odd
    /// while something is wrong: both may be so only because of what was left out.
    pub fn mean<M>(&mut self, mean: impl FnOnce(&T, &mut Problems) -> Option<M>) -> Option<M> {
        let mut found = Problems::default();
        let meant = mean(self.content.as_ref()?, &mut found);
        let is_broken = self.problems.are_fatal();
        let is_right = !is_broken && !found.are_fatal();
        let holds = found.into_iter().filter(|problem| {
            let is_blank = self.blanks.iter().any(|blank| problem.place.is_in(blank));
            !is_blank && (problem.fatal || !is_broken)
        });
        let holds: Vec<_> = holds.map(|problem| self.document.without_secrets(problem)).collect();
        self.problems.extend(holds);
        meant.filter(|_| is_right)
    }
}
