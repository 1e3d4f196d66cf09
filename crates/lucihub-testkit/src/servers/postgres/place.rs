//! The folder of a server: what `initdb` makes, and what the server is told.

use std::collections::hash_map::RandomState;
use std::fs::{self, Permissions};
use std::hash::BuildHasher;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::psql::without_surroundings;
use super::{PostgresOptions, SUPERUSER, require};
use crate::servers::certificates::Certificates;
use crate::servers::command::output_of;
use crate::servers::folder::Folder;
use crate::servers::process::{AtDeath, bound_to_this_process};
use crate::servers::user::{User, give};

/// For making the files of a server, two seconds on an idle machine.
const INITDB: Duration = Duration::from_secs(120);

/// A folder with the files of a server, and who runs it.
#[derive(Debug)]
pub(super) struct Place {
    folder: Folder,
    user: Option<User>,
    pub(super) certificates: Certificates,
    /// The superuser's.
    pub(super) password: String,
}

impl Place {
    /// A folder with an empty server, where nothing runs yet.
    pub(super) fn new() -> Self {
        let folder = Folder::new("postgres");
        let user = User::instead_of_root(&["postgres", "nobody"]);
        if let Some(user) = &user {
            folder.let_others_through();
            user.check_reaches(folder.path());
        }
        let certificates = Certificates::write(folder.path());
        readable(&certificates.certificate);
        give(&certificates.key, user.as_ref());
        let place = Self { folder, user, certificates, password: random() + &random() };
        for folder in [place.data(), place.sockets()] {
            fs::create_dir(&folder).expect("a folder in a temporary one");
            give(&folder, place.user.as_ref());
        }
        place.initialize();
        place
    }

    fn initialize(&self) {
        let password = self.folder.join("password");
        fs::write(&password, &self.password).expect("a file in a temporary folder");
        give(&password, self.user.as_ref());
        let mut command = self.command("initdb", AtDeath::Kill);
        command.arg("-D").arg(self.data()).arg("--pwfile").arg(&password);
        command.args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        output_of(command, "", INITDB).unwrap_or_else(|why| panic!("initdb: {why}"));
        fs::remove_file(password).expect("a file in a temporary folder");
    }

    /// Writes what the server reads when it starts.
    pub(super) fn configure(&self, options: &PostgresOptions, port: u16) {
        let clients = self.folder.join("pg_hba.conf");
        let text = options.configuration(port, &self.sockets(), &clients, &self.certificates);
        for (file, text) in [(self.configuration(), text), (clients, options.clients())] {
            fs::write(&file, text).expect("a file in a temporary folder");
            readable(&file);
        }
    }

    /// Who runs it, where that is not who runs this process.
    pub(super) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// What runs the server.
    pub(super) fn server(&self) -> Command {
        // SIGQUIT breaks all off at once, as SIGKILL does, but a server that gets it also ends its children, those at work
        // included, and removes its shared memory.
        let mut command = self.command("postgres", AtDeath::Quit);
        command.arg("-D").arg(self.data()).arg("-c");
        command.arg(format!("config_file={}", self.configuration().display()));
        command
    }

    fn command(&self, program: &str, at_death: AtDeath) -> Command {
        let mut command = bound_to_this_process(&require(program), at_death, self.user.as_ref());
        // It returns to the folder that it starts in, so that must be one that its user can enter.
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        without_surroundings(command)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of the unix socket; a short name, for the path of a socket is.
    pub(super) fn sockets(&self) -> PathBuf {
        self.folder.join("run")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("postgresql.conf")
    }
}

/// For the server's user, whatever this process's mask for new files is.
fn readable(file: &Path) {
    fs::set_permissions(file, Permissions::from_mode(0o644)).expect("a file of this process");
}

/// 16 digits that nobody knows beforehand.
pub(super) fn random() -> String {
    format!("{:016x}", RandomState::new().hash_one("LuciHub's tests"))
}
