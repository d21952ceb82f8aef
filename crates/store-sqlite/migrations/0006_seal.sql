-- One row: whether changes are refused, as the records move to another store.
CREATE TABLE seal (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    is_sealed INTEGER NOT NULL CHECK (is_sealed IN (0, 1))
) STRICT;

INSERT INTO seal (id, is_sealed) VALUES (1, 0);
