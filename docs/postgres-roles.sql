-- The roles of a LuciHub database: who may do what, and nothing beyond.
--
--   lucihub_migrator   owns the schema; `lucihub migrate` runs as it, and nothing else
--   lucihub_writer     API servers and keepers: reads and writes rows, changes no table
--   lucihub_reader     people and tools that look: reads rows
--
-- Run it as a superuser in the database, once before the first `lucihub migrate up` and once after it:
--
--   psql -d lucihub -f docs/postgres-roles.sql
--   psql -d lucihub -c '\password lucihub_migrator'    and the same for the others
--
-- Running it again changes nothing that is right already.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['lucihub_migrator', 'lucihub_writer', 'lucihub_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO lucihub_migrator, lucihub_writer, lucihub_reader', current_database());
END
$$;

CREATE SCHEMA IF NOT EXISTS lucihub AUTHORIZATION lucihub_migrator;
GRANT USAGE ON SCHEMA lucihub TO lucihub_writer, lucihub_reader;

-- Tables that later migrations make come with the same rights.
ALTER DEFAULT PRIVILEGES FOR ROLE lucihub_migrator IN SCHEMA lucihub
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lucihub_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE lucihub_migrator IN SCHEMA lucihub
    GRANT SELECT ON TABLES TO lucihub_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lucihub TO lucihub_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA lucihub TO lucihub_reader;

-- What was migrated is the migrator's alone to say. These tables come with the first migration.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['__diesel_schema_migrations', 'lucihub_migrations'] LOOP
        IF to_regclass('lucihub.' || quote_ident(name)) IS NOT NULL THEN
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON lucihub.%I FROM lucihub_writer', name);
        END IF;
    END LOOP;
END
$$;
