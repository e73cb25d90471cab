//! Bodies, near to what clients send and often not it.

use crate::spellings::{escaped, folding, quoted};
use crate::things::Kind;

/// Fields of a `HostConfig`, each with values that the daemon takes.
const HOST: [(&str, &[&str]); 23] = [
    ("Privileged", &["true", "false"]),
    ("CapAdd", &[r#"["SYS_ADMIN"]"#, r#""NET_ADMIN""#, "[]", r#"["CHOWN","SYS_PTRACE"]"#]),
    ("CapDrop", &[r#"["ALL"]"#, r#"["CHOWN"]"#]),
    ("Binds", &[r#"["/:/h"]"#, r#"["/etc:/h:ro"]"#, "[]"]),
    ("Memory", &["8388608", "16777216", "0"]),
    ("CpuShares", &["512", "0", "2"]),
    ("PidMode", &[r#""host""#, r#""""#]),
    ("NetworkMode", &[r#""none""#, r#""host""#]),
    ("ReadonlyRootfs", &["true", "false"]),
    ("SecurityOpt", &[r#"["no-new-privileges"]"#, r#"["seccomp=unconfined"]"#]),
    ("Sysctls", &[r#"{"kernel.shm_rmid_forced":"1"}"#, r#"{"a":"1","A":"2"}"#]),
    ("OomScoreAdj", &["500", "-500"]),
    ("Ulimits", &[r#"[{"Name":"nofile","Soft":10,"Hard":20}]"#]),
    ("PortBindings", &[r#"{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]}"#]),
    (
        "Mounts",
        &[
            r#"[{"Type":"tmpfs","Target":"/t"}]"#,
            r#"[{"Type":"bind","Source":"/","Target":"/h3"}]"#,
        ],
    ),
    (
        "RestartPolicy",
        &[
            r#"{"Name":"always","MaximumRetryCount":0}"#,
            r#"{"Name":"on-failure","MaximumRetryCount":3}"#,
        ],
    ),
    ("GroupAdd", &[r#"["audio"]"#, r#"["1","2"]"#]),
    ("Dns", &[r#"["192.0.2.1"]"#]),
    ("ExtraHosts", &[r#"["a:192.0.2.1"]"#, r#"["a:192.0.2.1","A:192.0.2.2"]"#]),
    ("Tmpfs", &[r#"{"/x":"rw"}"#, r#"{"/x":"rw","/X":"ro"}"#]),
    ("Init", &["true", "false"]),
    ("AutoRemove", &["true", "false"]),
    ("ShmSize", &["1048576", "2097152"]),
];

/// Fields at the top of a container's body.
const TOP: [(&str, &[&str]); 10] = [
    ("Env", &[r#"["A=1"]"#, r#"["A=1","a=2"]"#]),
    ("Cmd", &[r#"["true"]"#, r#""true""#, r#"["a","b"]"#]),
    ("Entrypoint", &[r#"["sleep"]"#, r#""sleep""#]),
    ("Labels", &[r#"{"a":"1","A":"2"}"#, r#"{"hostconfig":"x"}"#, "{}"]),
    ("User", &[r#""1000""#, r#""root""#]),
    ("WorkingDir", &[r#""/tmp""#]),
    ("Tty", &["true", "false"]),
    ("StopSignal", &[r#""SIGKILL""#, r#""9""#]),
    ("OpenStdin", &["true"]),
    ("Domainname", &[r#""example.com""#, r#""\u0061.example.com""#]),
];

/// Fields of a volume's.
const VOLUME: [(&str, &[&str]); 3] = [
    ("Driver", &[r#""local""#, r#""""#]),
    (
        "DriverOpts",
        &[
            r#"{"type":"tmpfs","device":"tmpfs","o":"size=1m"}"#,
            r#"{"type":"none","o":"bind","device":"/"}"#,
            "{}",
        ],
    ),
    ("Labels", &[r#"{"a":"1","A":"2"}"#, r#"{"a":"3"}"#, "{}"]),
];

/// The names of fields that bodies have, besides those of objects in lists and maps.
pub fn names() -> impl Iterator<Item = &'static str> {
    let fields = HOST.iter().chain(&TOP).chain(&VOLUME);
    fields.map(|(name, _)| *name).chain(["HostConfig"])
}

/// Chance, the same for the same seed (xorshift64*, Vigna 2016).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn of<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.below(all.len())]
    }
}

/// A body. About every second is one that any client might send.
pub fn body(dice: &mut Dice, kind: Kind) -> String {
    let strange = dice.one_in(2);
    let mut fields = Vec::new();
    match kind {
        Kind::Container => {
            fields.push(r#""Image":"busy:1""#.to_owned());
            fields.extend(some(dice, &TOP, strange));
            let hosts = if strange && dice.one_in(4) { 2 } else { 1 };
            for _ in 0..hosts {
                let inner = some(dice, &HOST, strange).join(",");
                let value =
                    if strange && dice.one_in(20) { "null" } else { &format!("{{{inner}}}") };
                fields.push(format!("{}:{value}", name(dice, "HostConfig", strange)));
            }
            if strange && dice.one_in(6) {
                fields.extend(some(dice, &HOST, strange));
            }
        }
        Kind::Volume => {
            fields.push(r#""Name":"differential""#.to_owned());
            fields.extend(some(dice, &VOLUME, strange));
        }
    }
    if dice.one_in(3) {
        let at = dice.below(fields.len());
        fields.rotate_left(at);
    }
    let space = if dice.one_in(4) { " \n\t" } else { "" };
    let text =
        format!("{space}{{{space}{}{space}}}{space}", fields.join(&format!("{space},{space}")));
    match dice.below(40) {
        0 if strange => text + " {}",
        1 if strange => format!("\u{feff}{text}"),
        2 if strange => format!("[{text}]"),
        _ => text,
    }
}

/// The body that docker-py sends, with all the fields that it does not use.
pub fn falsy() -> String {
    let host = HOST.iter().map(|(name, values)| {
        let falsy = match values[0].as_bytes()[0] {
            b't' | b'f' => "false",
            b'[' => "[]",
            b'{' => "null",
            b'"' => r#""""#,
            _ => "0",
        };
        format!("\"{name}\":{falsy}")
    });
    let host: Vec<_> = host.collect();
    format!(
        r#"{{"Image":"busy:1","Env":null,"Cmd":null,"Entrypoint":null,"Labels":{{}},"User":"",
            "Tty":false,"OpenStdin":false,"Volumes":null,"ExposedPorts":{{}},"WorkingDir":"",
            "Healthcheck":null,"StopTimeout":null,"NetworkDisabled":false,"OnBuild":null,
            "HostConfig":{{{}}},"NetworkingConfig":{{"EndpointsConfig":null}}}}"#,
        host.join(",")
    )
}

/// Some of these fields, where `strange` is wanted in other spellings, twice, or of a wrong type.
fn some(dice: &mut Dice, fields: &[(&str, &[&str])], strange: bool) -> Vec<String> {
    let count = dice.below(4);
    let mut all: Vec<String> = Vec::new();
    let mut used = Vec::new();
    for _ in 0..count {
        let at = dice.below(fields.len());
        if used.contains(&at) {
            continue;
        }
        used.push(at);
        let (field, values) = fields[at];
        let times = if strange && dice.one_in(4) { 2 } else { 1 };
        for _ in 0..times {
            let value = value(dice, values, strange);
            all.push(format!("{}:{value}", name(dice, field, strange)));
        }
    }
    all
}

fn value(dice: &mut Dice, values: &[&str], strange: bool) -> String {
    if !strange || !dice.one_in(8) {
        return dice.of(values).to_owned();
    }
    let others = [
        "null",
        "false",
        "true",
        "0",
        "-0",
        "1.0",
        "1e3",
        "18446744073709551616",
        r#""true""#,
        "[]",
        "{}",
        "[null]",
        r#"["a",null]"#,
        r#"{"a":null}"#,
        r#""\ud800""#,
        "[[[[]]]]",
        r#"{"x":{"X":1}}"#,
    ];
    dice.of(&others).to_owned()
}

/// A name in quotes, as it is or in another spelling.
fn name(dice: &mut Dice, name: &str, strange: bool) -> String {
    quoted(&match dice.below(if strange { 12 } else { 1 }) {
        1 => name.to_lowercase(),
        2 => name.to_uppercase(),
        3 => folding(name),
        4 => escaped(name),
        5 => format!("{name}x"),
        _ => name.to_owned(),
    })
}
