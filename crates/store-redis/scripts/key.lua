-- A key with the state of its account and its usage.
-- ARGV: the id.

local stored = redis.call('HMGET', key_of(ARGV[1]), 'record', 'facts', 'last_used', 'uses', 'previous_uses')
if not stored[1] then
  return false
end
local facts = decode(stored[2], 'key')
return { stored[1], account_state(facts.account), stored[3], stored[4], stored[5] }
