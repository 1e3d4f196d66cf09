DROP TABLE devices;
DROP TABLE run_samples;
DROP TABLE run_logs;
DROP TABLE runs;
