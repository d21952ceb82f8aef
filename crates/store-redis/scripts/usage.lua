-- Adds usage, all of it or nothing.
-- ARGV: for each key its id, the instant of its last use, its uses and those of its previous secret.

local most = '9223372036854775807'
local known = {}

for place = 1, #ARGV, 4 do
  local stored = redis.call('HMGET', key_of(ARGV[place]), 'version', 'last_used', 'uses', 'previous_uses')
  known[place] = stored[1] and true
  for counted = 3, 4 do
    if stored[counted] and not string.find(stored[counted], '^%d+$') then
      error({ err = 'CORRUPT key' })
    end
  end
end

-- Counts stop at the end of their range. Checked before: nothing else can go wrong.
local function add(key, field, count)
  local added = redis.pcall('HINCRBY', key, field, count)
  if type(added) == 'table' and added.err then
    redis.call('HSET', key, field, most)
  end
end

for place = 1, #ARGV, 4 do
  if known[place] then
    local key, last_used = key_of(ARGV[place]), ARGV[place + 1]
    local before = redis.call('HGET', key, 'last_used')
    if not before or before < last_used then
      redis.call('HSET', key, 'last_used', last_used)
    end
    add(key, 'uses', ARGV[place + 2])
    add(key, 'previous_uses', ARGV[place + 3])
  end
end
return true
