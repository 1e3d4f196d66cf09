ALTER TABLE runs DROP COLUMN model_version, DROP COLUMN written_by, DROP COLUMN written_at;
