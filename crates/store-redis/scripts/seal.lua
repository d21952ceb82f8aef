-- Seals the store, or unseals it.
-- ARGV: 1 or 0; the schema that is known.

if redis.call('HGET', prefix .. 'meta', 'schema') ~= ARGV[2] then
  error({ err = 'SCHEMA' })
end
redis.call('HSET', prefix .. 'meta', 'sealed', ARGV[1])
return true
