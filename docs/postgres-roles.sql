-- The roles of a LuciHub database: who may do what, and nothing beyond.
--
--   lucihub_migrator   owns the schema; `lucihub migrate` runs as it, and nothing else
--   lucihub_writer     API servers and keepers: reads and writes rows, changes no table
--   lucihub_reader     people and tools that look: reads rows
--
-- Run it as a superuser in the database, once before the first `lucihub migrate up` and once after it, and after each
-- restore. As root on the server's machine:
--
--   runuser -u postgres -- psql -v ON_ERROR_STOP=1 -d lucihub < docs/postgres-roles.sql
--   runuser -u postgres -- psql -d lucihub -c '\password lucihub_migrator'    and the same for the others
--
-- Running it again changes nothing that is right already. What another role made in the schema, such as a superuser who
-- migrated or restored a dump, becomes the migrator's.

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

-- Whoever changes a table must own it.
DO $$
DECLARE
    found record;
BEGIN
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'lucihub' AND nspowner <> 'lucihub_migrator'::regrole) THEN
        ALTER SCHEMA lucihub OWNER TO lucihub_migrator;
    END IF;
    FOR found IN
        SELECT c.oid::regclass AS name FROM pg_class AS c
        WHERE c.relnamespace = 'lucihub'::regnamespace AND c.relowner <> 'lucihub_migrator'::regrole
            AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            -- A sequence that is a column's goes with its table.
            AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
                AND c.relkind = 'S')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO lucihub_migrator', found.name);
    END LOOP;
END
$$;

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
