-- oldest generation: 2
--
-- In which version of the models a head is written, by which program, and when: what an operator looks at before the last
-- program of an older version is replaced. What was written before is of version 2, and by an unknown program.
ALTER TABLE runs ADD COLUMN model_version text COLLATE "C" NOT NULL DEFAULT 'v2';
ALTER TABLE runs ADD COLUMN written_by text COLLATE "C";
ALTER TABLE runs ADD COLUMN written_at timestamptz;
