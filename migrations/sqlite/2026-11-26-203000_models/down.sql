ALTER TABLE runs DROP COLUMN model_version;
ALTER TABLE runs DROP COLUMN written_by;
ALTER TABLE runs DROP COLUMN written_at;
