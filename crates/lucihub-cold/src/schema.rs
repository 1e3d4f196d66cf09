//! The tables, as the query builder sees them. A test compares this file with a migrated database.

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable};
    use crate::types::{DbJson, DbText, DbTime, DbUuid};

    runs (id) {
        id -> DbUuid,
        created_at -> DbTime,
        job_type -> DbText,
        state -> DbText,
        state_count -> BigInt,
        device -> Nullable<DbText>,
        device_type -> Nullable<DbText>,
        owner -> Nullable<DbText>,
        channels -> BigInt,
        archived_at -> Nullable<DbTime>,
        released_at -> Nullable<DbTime>,
        digest -> Nullable<Binary>,
        created_digest -> Binary,
        error -> Nullable<DbText>,
        labels -> DbJson,
        states -> DbJson,
        positions -> DbJson,
        head -> DbJson,
        input -> Nullable<DbJson>,
        output -> Nullable<DbJson>,
        model_version -> DbText,
        written_by -> Nullable<DbText>,
        written_at -> Nullable<DbTime>,
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
    use crate::types::{DbJson, DbText, DbTime};

    devices (id) {
        id -> Text,
        device_type -> DbText,
        firmware -> Nullable<DbText>,
        entity_digest -> Nullable<DbText>,
        seen_at -> Nullable<DbTime>,
        input_type -> Nullable<DbText>,
        parameter_schema -> Nullable<DbJson>,
        extra -> DbJson,
    }
}

diesel::table! {
    use crate::types::{DbText, DbTime, DbUuid};

    run_tags (kind, name, value, created_at, run) {
        kind -> DbText,
        name -> DbText,
        value -> DbText,
        created_at -> DbTime,
        run -> DbUuid,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::types::{DbText, DbTime};

    usage (owner, device_type, minute) {
        owner -> DbText,
        device_type -> DbText,
        minute -> DbTime,
        runs -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{DbTime, DbUuid};

    attachments (id) {
        id -> DbUuid,
        subject -> Text,
        run -> Nullable<DbUuid>,
        device -> Nullable<Text>,
        name -> Text,
        media_type -> Text,
        size -> Nullable<BigInt>,
        digest -> Nullable<Binary>,
        created_at -> Nullable<DbTime>,
        sweep_at -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};
    use crate::types::DbUuid;

    attachment_chunks (attachment, chunk) {
        attachment -> DbUuid,
        chunk -> BigInt,
        payload_check -> BigInt,
        payload -> Binary,
    }
}

diesel::table! {
    use crate::types::{DbJson, DbUuid};

    run_events (run) {
        run -> DbUuid,
        document -> DbJson,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::types::{DbTime, DbUuid};

    commits (link) {
        link -> DbUuid,
        number -> BigInt,
        at -> DbTime,
    }
}
