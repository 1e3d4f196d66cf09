//! Where the data is, and opening it.

use std::path::{Path, PathBuf};

use lucihub_models_core::{RunId, RunPrefix, StoreError, WriteAs};
use lucihub_store::{Store, Urls};

use crate::args::{DATABASE_URL, DEFAULT_DIR, Place, Where};
use crate::failure::Failure;
use crate::output;
use crate::secret::Secret;

/// The name that heads are written under.
const PROGRAM: &str = "command";

/// The database file in a folder.
fn database(dir: &Path) -> PathBuf {
    dir.join("lucihub.sqlite")
}

/// The folder of files beside the database; it may not be there.
pub(crate) fn folder(place: &Where) -> &Path {
    place.dir.as_deref().unwrap_or(Path::new(DEFAULT_DIR))
}

/// Opens both storages of what is there, and makes nothing.
pub(crate) async fn find(place: &Place) -> Result<Store, Failure> {
    open(place, &existing(&place.cold)?).await
}

/// Opens both storages; a database that is not there is made, and said.
pub(crate) async fn find_or_make(place: &Place) -> Result<Store, Failure> {
    let cold = url(&place.cold)?;
    let new = file(&cold).filter(|file| !file.exists());
    if let Some(folder) = new.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let store = open(place, &cold).await?;
    if let Some(file) = new {
        output::say(format!("made a new database, {}", file.display()));
    }
    Ok(store)
}

/// Opens the server alone, for those who need no database.
pub(crate) async fn hot_alone(place: &Place) -> Result<Store, Failure> {
    let urls = place.hot.alone().ok_or(Failure::NeedsServer("lucihub record"))?.with_writes(writes(place)?);
    Store::open(&urls).await.map_err(|error| unopened(place, error))
}

/// Opens cold storage of what is there, which is all that lists look at.
pub(crate) async fn history(place: &Place) -> Result<Store, Failure> {
    stored(&place.cold).await
}

/// The same, for commands that never ask hot storage.
pub(crate) async fn stored(cold: &Where) -> Result<Store, Failure> {
    open_cold(existing(cold)?).await
}

/// What there is to read from.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Both storages, or cold storage alone.
    pub(crate) store: Store,
    /// Why hot storage is left out, if it should be there.
    pub(crate) away: Option<Failure>,
}

impl Reading {
    /// Cold storage alone is a good answer, if the person knows.
    pub(crate) fn whatever_is_there(self) -> Store {
        if let Some(why) = self.away {
            output::say(format!("lucihub: {why}; this is what cold storage has"));
        }
        self.store
    }

    /// Only both storages are an answer.
    pub(crate) fn nothing_less(self) -> Result<Store, Failure> {
        self.away.map_or(Ok(self.store), Err)
    }
}

/// Opens what is there for reading. A server that is away or refuses takes nothing from what cold storage has.
pub(crate) async fn read(place: &Place) -> Result<Reading, Failure> {
    let cold = existing(&place.cold)?;
    match open(place, &cold).await {
        Ok(store) => Ok(Reading { store, away: None }),
        // What cannot be meant is to be mended.
        Err(why @ (Failure::Invalid(_) | Failure::Unopened { error: StoreError::Invalid(_), .. })) => Err(why),
        // If cold storage is what failed, it fails again.
        Err(why) if place.hot.is_shared() => Ok(Reading { store: open_cold(cold).await?, away: Some(why) }),
        Err(why) => Err(why),
    }
}

/// Opens both storages.
async fn open(place: &Place, cold: &str) -> Result<Store, Failure> {
    let urls = place.hot.with_cold(cold).with_writes(writes(place)?);
    Store::open(&urls).await.map_err(|error| unopened(place, error))
}

fn unopened(place: &Place, error: StoreError) -> Failure {
    let from = if is_of_hot_url(&error) { place.hot.origin() } else { None };
    Failure::Unopened { error, from }
}

/// In which version heads are written. An empty variable names none.
fn writes(place: &Place) -> Result<WriteAs, Failure> {
    let writes = WriteAs::program(PROGRAM)?;
    match place.write_version.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Ok(writes.in_version(text.parse()?)?),
        None => Ok(writes),
    }
}

/// Whether hot storage's URL is what is invalid.
fn is_of_hot_url(error: &StoreError) -> bool {
    let StoreError::Invalid(invalid) = error else { return false };
    ["Redis URL", "hot storage URL"].iter().any(|thing| invalid.thing().starts_with(thing))
}

async fn open_cold(cold: String) -> Result<Store, Failure> {
    Store::open(&Urls::cold_only(cold)).await.map_err(|error| Failure::Unopened { error, from: None })
}

/// Opens what is there for reading one run, which is named by how its id begins. An archived one needs no hot storage, so
/// it is not asked.
pub(crate) async fn read_run(place: &Place, run: &RunPrefix) -> Result<(Reading, RunId), Failure> {
    let history = history(place).await?;
    let run = history.find_run(run).await?;
    if history.status(run).await?.archived.is_some() {
        return Ok((Reading { store: history, away: None }, run));
    }
    Ok((read(place).await?, run))
}

/// The URL of cold storage, whether or not it is there: `--dir`, else the URL, else the demo's folder.
pub(crate) fn url(place: &Where) -> Result<String, Failure> {
    match (&place.dir, given_url(place)) {
        // The variable is for all commands, a flag for this one.
        (Some(_), Some(_)) if is_typed(place) => Err(Failure::TwoDatabases),
        (Some(dir), _) => Ok(sqlite(&database(dir))),
        (None, Some(url)) => Ok(url.to_owned()),
        (None, None) => Ok(sqlite(&database(Path::new(DEFAULT_DIR)))),
    }
}

/// What the next commands need to find cold storage as this one did: words in front of them, and flags behind. A URL that
/// may hold a password is not repeated.
pub(crate) fn typed(place: &Where) -> (String, String) {
    if let Some(dir) = &place.dir {
        return (String::new(), format!(" --dir {}", output::typed(&dir.to_string_lossy())));
    }
    place.database_url.as_ref().map_or_else(Default::default, |url| url.typed(DATABASE_URL, "--database-url"))
}

/// Whether the URL was given by its flag.
fn is_typed(place: &Where) -> bool {
    place.database_url.as_ref().is_some_and(|url| !url.is_set_as(DATABASE_URL))
}

/// Cold storage as people may see it: without user, password and parameters.
pub(crate) fn shown(place: &Where) -> Result<String, Failure> {
    let url = url(place)?;
    match file(&url) {
        Some(file) => Ok(file.display().to_string()),
        None => lucihub_cold::migrate::shown(&url).map_err(|error| Failure::Unopened { error, from: None }),
    }
}

/// Whether any number of machines share cold storage.
pub(crate) fn is_server(place: &Where) -> Result<bool, Failure> {
    Ok(file(&url(place)?).is_none())
}

/// The URL of cold storage that is there.
fn existing(place: &Where) -> Result<String, Failure> {
    let url = url(place)?;
    match file(&url) {
        Some(file) if !file.is_file() => Err(Failure::NoDatabase(file.to_owned())),
        _ => Ok(url),
    }
}

/// The file of cold storage, if it is one.
fn file(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:").map(Path::new)
}

fn given_url(place: &Where) -> Option<&str> {
    place.database_url.as_ref().and_then(Secret::url)
}

fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

pub(crate) fn make_folder(dir: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).map_err(|why| Failure::File { what: "make", path: dir.to_owned(), why })
}
