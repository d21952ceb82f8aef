-- Makes what tells that these records are Keyward's, if there is nothing yet.
-- ARGV: the schema that is made.

local meta = prefix .. 'meta'
local kind = redis.call('TYPE', meta).ok
if kind == 'none' then
  redis.call('HSET', meta, 'application', 'keyward', 'schema', ARGV[1])
elseif kind ~= 'hash' then
  return false
end
if redis.call('HGET', meta, 'application') ~= 'keyward' then
  return false
end
return redis.call('HGET', meta, 'schema')
