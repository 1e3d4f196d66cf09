//! What SQLite's messages mean.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use lucihub_models_core::{Invalid, StoreError};

/// How errors name the database where its file is not known.
pub(super) const STORE: &str = "SQLite";

/// Sorts an error by what the caller can do. The query builder passes on
/// SQLite's text, not its code; the texts are those of `sqlite3ErrStr`.
pub(crate) fn statement(_: &DatabaseErrorKind, info: &dyn DatabaseErrorInformation) -> StoreError {
    let message = info.message();
    let store = || STORE.to_owned();
    let has = |text: &str| message.contains(text);
    if has("is locked") {
        StoreError::unavailable(
            STORE,
            format!("{message}: another process has written for longer than the busy timeout"),
        )
    } else if has("too many SQL variables") || has("string or blob too big") {
        Invalid::new("request", message).hint("ask for less at once").into()
    } else if has("database or disk is full") {
        StoreError::Full { store: store(), why: format!("{message}; make room on the disk") }
    } else if has("readonly database") {
        let why = format!("{message}; give this user the right to write the file and its folder");
        StoreError::precondition(STORE, why)
    } else if has("file is not a database") {
        StoreError::precondition(STORE, format!("{message}; name a file that is one, or a new one"))
    } else if has("malformed") {
        StoreError::corrupt("a page of the SQLite file", format!("{message}; restore it from a backup"))
    } else if has("disk I/O error") {
        // A commit whose fsync fails may be found again after a crash. A full disk may look like this too: where the file
        // that connections share cannot grow.
        StoreError::Unknown { store: store(), why: format!("{message}; see that the disk has room and is sound") }
    } else {
        StoreError::unavailable(STORE, message)
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};

    use super::*;
    use crate::error::Error;

    /// What SQLite itself answers, sorted.
    fn sorted(name: &str, sql: &[&str]) -> StoreError {
        let mut conn = SqliteConnection::establish(name).unwrap();
        let answer = sql.iter().try_for_each(|sql| conn.batch_execute(sql));
        Error::from(answer.unwrap_err()).sorted(statement).into()
    }

    #[test]
    fn a_full_disk_is_full() {
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) INSERT INTO t SELECT randomblob(4096) FROM n";
        let error = sorted(":memory:", &["PRAGMA max_page_count = 5", "CREATE TABLE t (x)", fill]);
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(error.is_transient());
    }

    #[test]
    fn a_read_only_file_is_a_precondition() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let path = path.to_str().unwrap();
        SqliteConnection::establish(path).unwrap().batch_execute("CREATE TABLE t (x)").unwrap();
        let error = sorted(&format!("file:{path}?mode=ro"), &["INSERT INTO t VALUES (1)"]);
        assert!(matches!(error, StoreError::Precondition { .. }), "{error}");
    }

    #[test]
    fn a_lock_is_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let mut holder = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        holder.batch_execute("CREATE TABLE t (x); BEGIN IMMEDIATE").unwrap();
        let error = sorted(path.to_str().unwrap(), &["INSERT INTO t VALUES (1)"]);
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }
}
