//! The recorded verdicts.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

/// The variables that were set on top of the image's defaults.
pub type Environment = BTreeMap<String, String>;

/// Requests, and for each of many environments the verdicts on all of them.
pub struct Recording {
    pub dialect: String,
    /// Method and target.
    pub requests: Vec<(String, String)>,
    pub rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Head {
    dialect: String,
    requests: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub struct Row {
    pub env: Environment,
    /// A letter for each request: `a` for allowed, `d` for denied, `e` for an error of `HAProxy`'s.
    verdicts: String,
}

/// What `HAProxy` did with a request.
#[derive(Clone, Debug)]
pub struct Verdict<'r> {
    pub method: &'r str,
    pub target: &'r str,
    pub allowed: bool,
}

/// A request in an environment of its own.
#[derive(Deserialize)]
pub struct Vector {
    peer: String,
    config: BTreeMap<String, Option<String>>,
    method: String,
    path: String,
    expect: String,
}

impl Recording {
    pub fn read(file: &str) -> Self {
        let lines = lines(file);
        let (head, rows) = lines.split_first().unwrap();
        let Head { dialect, requests } = serde_json::from_str(head).unwrap();
        let rows: Vec<Row> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        assert!(rows.iter().all(|row| row.verdicts.len() == requests.len()));
        Self { dialect, requests, rows }
    }

    pub fn verdicts<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = Verdict<'r>> {
        let verdict = |((method, target), letter): (&'r (String, String), char)| Verdict {
            method,
            target,
            allowed: letter == 'a',
        };
        self.requests.iter().zip(row.verdicts.chars()).map(verdict)
    }
}

impl Vector {
    /// All of them, by dialect and environment.
    pub fn read() -> BTreeMap<(String, Environment), Vec<Self>> {
        let mut vectors = BTreeMap::<_, Vec<_>>::new();
        for line in lines("peer_vectors.jsonl") {
            let vector: Self = serde_json::from_str(&line).unwrap();
            // Null is a variable that is taken out of the image, its default with it.
            let environment = vector.config.clone().into_iter();
            let environment = environment.map(|(name, v)| (name, v.unwrap_or_default())).collect();
            vectors.entry((vector.peer.clone(), environment)).or_default().push(vector);
        }
        vectors
    }

    pub fn verdict(&self) -> Verdict<'_> {
        let allowed = match self.expect.as_str() {
            "allow" => true,
            "deny" => false,
            other => panic!("{other} is no verdict"),
        };
        Verdict { method: &self.method, target: &self.path, allowed }
    }
}

fn lines(file: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance");
    fs::read_to_string(folder.join(file)).unwrap().lines().map(str::to_owned).collect()
}
