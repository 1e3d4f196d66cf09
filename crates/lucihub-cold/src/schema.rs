//! The tables, as the query builder sees them. A test compares this file with a migrated database.

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{DbJson, DbTime, DbUuid};

    runs (id) {
        id -> DbUuid,
        created_at -> DbTime,
        job_type -> Text,
        state -> Text,
        state_count -> BigInt,
        device -> Nullable<Text>,
        device_type -> Nullable<Text>,
        owner -> Nullable<Text>,
        channels -> BigInt,
        archived_at -> Nullable<DbTime>,
        released_at -> Nullable<DbTime>,
        digest -> Nullable<Binary>,
        created_digest -> Binary,
        error -> Nullable<Text>,
        labels -> DbJson,
        states -> DbJson,
        positions -> DbJson,
        head -> DbJson,
        input -> Nullable<DbJson>,
        output -> Nullable<DbJson>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};
    use crate::types::DbUuid;

    run_logs (run, cell) {
        run -> DbUuid,
        cell -> BigInt,
        first_index -> BigInt,
        end_index -> BigInt,
        codec -> BigInt,
        payload_check -> BigInt,
        payload -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};
    use crate::types::DbUuid;

    run_samples (run, channel, cell) {
        run -> DbUuid,
        channel -> BigInt,
        cell -> BigInt,
        first_index -> BigInt,
        end_index -> BigInt,
        value_count -> BigInt,
        codec -> BigInt,
        summary_check -> BigInt,
        payload_check -> BigInt,
        gaps -> Binary,
        summary -> Binary,
        payload -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{DbJson, DbTime};

    devices (id) {
        id -> Text,
        device_type -> Text,
        firmware -> Nullable<Text>,
        entity_digest -> Nullable<Text>,
        seen_at -> Nullable<DbTime>,
        input_type -> Nullable<Text>,
        parameter_schema -> Nullable<DbJson>,
        extra -> DbJson,
    }
}
