DROP TABLE usage;
DROP TABLE run_tags;
