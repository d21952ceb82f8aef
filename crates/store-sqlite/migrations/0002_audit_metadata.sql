-- What an application wants to be kept about the one who acted: a JSON object, null if empty.
ALTER TABLE audit ADD COLUMN metadata TEXT;
