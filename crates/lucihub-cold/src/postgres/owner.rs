//! Whose the schema is: whoever changes it must own everything in it, and what it makes must be the same owner's.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use lucihub_models_core::StoreError;

use super::link::PgConn;
use crate::error::Error;

/// Tables, views and sequences of ours whose owner `role` is not, and is no member of.
const OF_OTHERS: &str = "EXISTS (SELECT FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT pg_has_role({role}, c.relowner, 'USAGE'))";

#[derive(QueryableByName)]
struct Ownership {
    /// Whether there is no schema yet.
    #[diesel(sql_type = Bool)]
    is_new: bool,
    /// Whether this role may change what is there, or make what is not.
    #[diesel(sql_type = Bool)]
    may_change: bool,
    /// The schema's owner, quoted, where it is another role and all is its own.
    #[diesel(sql_type = Nullable<Text>)]
    owner: Option<String>,
}

/// Refuses a role that may not change the schema, and lets a member of its owner act as that: else what it makes would be
/// beyond the owner's reach from then on. None of it needs a right to the schema.
pub(crate) fn act_as_owner(conn: &mut PgConn, what: &str) -> Result<(), Error> {
    let of_others = |role: &str| OF_OTHERS.replace("{role}", role);
    let query = format!(
        "SELECT s.oid IS NULL AS is_new,
            CASE WHEN s.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                ELSE pg_has_role(s.nspowner, 'USAGE') AND NOT {} END AS may_change,
            CASE WHEN pg_get_userbyid(s.nspowner) <> current_user AND NOT {}
                THEN quote_ident(pg_get_userbyid(s.nspowner)) END AS owner
         FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_namespace AS s ON s.nspname = '{}'",
        of_others("current_user"),
        of_others("s.nspowner"),
        super::SCHEMA,
    );
    let Ownership { is_new, may_change, owner } = diesel::sql_query(query).get_result(conn)?;
    if !may_change {
        let why = if is_new {
            "it has no schema lucihub, and this role may make none; run docs/postgres-roles.sql as a superuser, then \
             connect as lucihub_migrator"
        } else {
            "this role does not own the schema lucihub and all of its tables; connect as lucihub_migrator; if it is that \
             role, let a superuser run docs/postgres-roles.sql, which hands the schema over to it"
        };
        return Err(StoreError::precondition(what, why).into());
    }
    if let Some(owner) = owner {
        conn.batch_execute(&format!("SET ROLE {owner}"))?;
    }
    Ok(())
}
