-- Whether records can be read and written: Redis refuses to run a script that may write where it cannot.
-- ARGV: the schema that is known.

if redis.call('HGET', prefix .. 'meta', 'schema') ~= ARGV[1] then
  error({ err = 'SCHEMA' })
end
return position()
