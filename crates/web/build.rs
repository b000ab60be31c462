//! Bundles `ui/` with the machine's Node.js and npm, so that the pages are
//! part of the program.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, exit},
};

use sha2::{Digest, Sha256};

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../..");
    let source = root.join("ui");
    let work = PathBuf::from(variable("OUT_DIR")).join("ui");
    watch(&source);
    if let Err(problem) = bundle(&source, &work) {
        eprintln!("The pages could not be built: {problem}");
        exit(1);
    }
    println!("cargo::rustc-env=UI_DIGEST={}", digest(&work.join("dist")));
}

fn bundle(source: &Path, work: &Path) -> Result<(), String> {
    let dist = work.join("dist");
    copy_sources(source, work).map_err(|error| format!("{} could not be copied: {error}", source.display()))?;
    let _ = fs::remove_dir_all(&dist);
    run("npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts=false", "--loglevel=error"], work)?;
    run("node", &["build.mjs", "dist"], work)
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<(), String> {
    let mend = "install Node.js 20 or newer with npm (nodejs.org, or your system's packages), and build again";
    let done = Command::new(program).args(arguments).current_dir(folder).output();
    let done = done.map_err(|error| format!("{program} could not be started ({error}); {mend}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = [String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)].concat();
    Err(format!("`{program} {}` failed in {}:\n{said}", arguments.join(" "), folder.display()))
}

fn copy_sources(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "node_modules" || name == "dist" {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            let _ = fs::remove_dir_all(&target);
            copy_sources(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn watch(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name != "node_modules" && name != "dist" {
            println!("cargo::rerun-if-changed={}", entry.path().display());
        }
    }
}

fn digest(folder: &Path) -> String {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(fs::read(&file).unwrap_or_default());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
