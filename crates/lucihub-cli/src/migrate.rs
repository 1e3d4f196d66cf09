//! `lucihub migrate`

use lucihub_cold::migrate;
use lucihub_models_core::StoreError;

use crate::args::Where;
use crate::failure::Failure;
use crate::{output, place};

/// Prints which migrations the database has.
pub(crate) async fn status(place: &Where) -> Result<(), Failure> {
    let rows = migrate::status(&place::url(place))
        .await
        .map_err(unopened)?
        .into_iter()
        .map(|migration| vec![migration.name, if migration.applied { "applied" } else { "pending" }.to_owned()]);
    output::table(&["MIGRATION", "STATUS"], rows.collect())
}

/// Applies what is pending.
pub(crate) async fn up(place: &Where) -> Result<(), Failure> {
    let applied = migrate::up(&place::url(place)).await.map_err(unopened)?;
    if applied.is_empty() {
        output::say("nothing is pending");
    }
    applied.iter().try_for_each(output::line)
}

/// Fails if the tables are not those of this version.
pub(crate) async fn check(place: &Where) -> Result<(), Failure> {
    migrate::check(&place::url(place)).await.map_err(unopened)?;
    output::say("the database has the tables of this version");
    Ok(())
}

/// A database of another kind or schema is refused; it is in conflict with nobody.
const fn unopened(error: StoreError) -> Failure {
    Failure::Unopened { error, from: None }
}
