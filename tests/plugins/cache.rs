//! The cache of compiled plugins: native code, which is run only if nobody but the proxy's own user
//! can have written it, and only as it was written.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    proxy::{Proxy, Scene},
    wat::Plugin,
};

/// A file of the cache.
struct Compiled {
    name: String,
    content: Vec<u8>,
}

impl Compiled {
    /// As the proxy makes it.
    fn of(plugin: &Plugin) -> Self {
        let folder = new_folder();
        drop(start(plugin, folder.path()));
        let file = only_file(folder.path());
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        Self { name, content: fs::read(file).unwrap() }
    }

    fn put_into(&self, folder: &Path) -> PathBuf {
        let file = folder.join(&self.name);
        fs::write(&file, &self.content).unwrap();
        file
    }
}

/// What the cache has for the plugin that denies, with the code of one that allows: from the answer
/// to a request one can tell which of them runs.
fn planted() -> Compiled {
    let Compiled { content, .. } = Compiled::of(&Plugin::allowing());
    Compiled { content, ..Compiled::of(&denying()) }
}

fn denying() -> Plugin {
    Plugin::denying("no")
}

fn start(plugin: &Plugin, cache: &Path) -> Proxy {
    Scene::new().plugin("cached", plugin).cache(cache).start()
}

fn denies(proxy: &Proxy) -> bool {
    proxy.get("/version").status == 403
}

fn has_compiled(proxy: &Proxy) -> bool {
    proxy.log().contains("\"compiling ")
}

/// Its own user's alone.
fn new_folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_plugin_is_compiled_once() {
    let folder = new_folder();
    assert!(has_compiled(&start(&denying(), folder.path())));
    let before = fs::metadata(only_file(folder.path())).unwrap();

    let again = start(&denying(), folder.path());
    assert!(!has_compiled(&again), "{}", again.log());
    assert!(denies(&again));
    let after = fs::metadata(only_file(folder.path())).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
}

/// It is what makes the tests below mean something.
#[test]
fn what_the_cache_has_is_what_runs() {
    let folder = new_folder();
    planted().put_into(folder.path());
    let proxy = start(&denying(), folder.path());
    assert!(!has_compiled(&proxy) && !denies(&proxy));
}

#[test]
fn a_folder_that_others_may_write_is_not_trusted() {
    for mode in [0o777, 0o1777, 0o770, 0o702, 0o720] {
        let folder = new_folder();
        planted().put_into(folder.path());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        is_not_trusted(folder.path());
    }
}

/// Whoever made the link may have it point elsewhere at any time.
#[test]
fn a_link_to_a_folder_is_not_trusted() {
    let folder = new_folder();
    planted().put_into(folder.path());
    let other = new_folder();
    let link = other.path().join("link");
    symlink(folder.path(), &link).unwrap();
    is_not_trusted(&link);
}

fn is_not_trusted(folder: &Path) {
    let proxy = start(&denying(), folder);
    assert!(has_compiled(&proxy) && denies(&proxy), "{}", proxy.log());
    let warning = proxy.logged(|line| line["level"] == "warning");
    let words = warning["message"].as_str().unwrap();
    let why = "others may write the folder, so nothing in it can be trusted";
    assert!(words.starts_with("the compiled plugin can't be kept in "), "{words}");
    assert!(words.ends_with(why), "{words}");
}

#[test]
fn the_cache_is_for_the_proxys_own_user_alone() {
    let folder = new_folder();
    let cache = folder.path().join("a/b");
    drop(start(&denying(), &cache));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&cache), mode(&only_file(&cache))), (0o700, 0o600));
}

#[test]
fn code_that_is_damaged_is_not_run_but_made_anew() {
    let whole = Compiled::of(&denying());
    let half = whole.content.len() / 2;
    let mut flipped = whole.content.clone();
    flipped[half] ^= 1;
    for content in [
        Vec::new(),
        b"garbage".to_vec(),
        vec![0; 100_000],
        whole.content[..half].to_vec(),
        whole.content[..whole.content.len() - 1].to_vec(),
        whole.content[..whole.content.len() - 32].to_vec(),
        [&whole.content[..], b"\0"].concat(),
        flipped,
    ] {
        let folder = new_folder();
        Compiled { name: whole.name.clone(), content }.put_into(folder.path());
        let proxy = start(&denying(), folder.path());
        assert!(has_compiled(&proxy) && denies(&proxy), "{}", proxy.log());
        assert!(!has_compiled(&start(&denying(), folder.path())), "the cache has it again");
    }
}

/// A process that was killed leaves it, and in a container the next has the same number.
#[test]
fn what_an_unfinished_compiler_left_is_in_nobodys_way() {
    let folder = new_folder();
    let Compiled { name, .. } = Compiled::of(&denying());
    for process in 1..5 {
        let left = name.replace(".cwasm", &format!(".{process}.tmp"));
        fs::write(folder.path().join(left), "half of it").unwrap();
    }
    drop(start(&denying(), folder.path()));
    assert!(!has_compiled(&start(&denying(), folder.path())));
}

#[test]
fn without_a_cache_a_plugin_is_compiled_at_each_start() {
    let folder = new_folder();
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, "").unwrap();
    for _ in 0..2 {
        let proxy = start(&denying(), &no_folder);
        assert!(has_compiled(&proxy) && denies(&proxy));
        proxy.logged(|line| line["level"] == "warning");
    }
}
