-- The record of the key that a digest finds.
-- ARGV: the locator's name.

local id = redis.call('GET', prefix .. 'locator:' .. ARGV[1])
return id and redis.call('HGET', key_of(id), 'record')
