-- The rest of what a change reads, and then what it writes.

-- Signing keys and revoked tokens that have ended.
local ended_keys, ended_tokens = {}, {}
local tokens, token_ends = prefix .. 'tokens', prefix .. 'token_ends'
local signing_keys = prefix .. 'signing_keys'
-- The tokens that are revoked afterwards, each with the later of its ends.
local ends, ends_before = {}, {}

if #change.signing_keys > 0 then
  local stored = redis.call('HGETALL', signing_keys)
  for place = 1, #stored, 2 do
    if decode(stored[place + 1], 'signing key').expires <= change.at then
      table.insert(ended_keys, stored[place])
    end
  end
end
if #change.revoked_tokens > 0 then
  look_at('HLEN', tokens)
  look_at('ZCARD', token_ends)
  ended_tokens = redis.call('ZRANGE', token_ends, '-', '(' .. change.at .. '~', 'BYLEX')
end
for _, token in ipairs(change.revoked_tokens) do
  local known = ends[token.id]
  if not known then
    known = redis.call('HGET', tokens, token.id)
    ends_before[token.id] = known
    -- One that has ended goes, whatever it is revoked to now.
    known = known and known > change.at and known
  end
  ends[token.id] = known and known > token['until'] and known or token['until']
end

-- The events to remove, the oldest first.
local erased = {}
look_at('HLEN', prefix .. 'events')
if change.erasure then
  walk(change.erasure, function(place)
    if #erased >= change.erasure.take then
      return true
    end
    local _, event = event_at(place)
    if is_meant(change.erasure.filter, event) then
      table.insert(erased, place)
      leave(places_of_event(place, event))
    end
  end)
end
for _, event in ipairs(change.events) do
  enter(places_of_event(event.place, decode(event.event, 'change')))
end

local sequence = position() + 1
local kept = sequence - change.kept
local dropped = {}
if kept > 0 then
  -- More than one after the number of those that are kept was made smaller.
  dropped = redis.call('XRANGE', feed, '-', written(kept) .. '-0', 'COUNT', 100)
end

-- From here on nothing fails. The feed comes first, as Redis itself refuses a place that is not new.
redis.call('XADD', feed, written(sequence) .. '-0', 'id', change.id, 'touched', change.touched)
redis.call('HSET', changes, change.id, written(sequence))
for _, entry in ipairs(dropped) do
  redis.call('XDEL', feed, entry[1])
  redis.call('HDEL', changes, entry[2][2])
end
for _, place in ipairs(left) do
  redis.call('ZREM', prefix .. place[1], place[2])
end
for _, place in ipairs(entered) do
  redis.call('ZADD', prefix .. place[1], 0, place[2])
end
for _, write in ipairs(change.keyspaces) do
  redis.call('HSET', prefix .. 'keyspaces', write.id, write.document)
  redis.call('HSET', prefix .. 'keyspace_versions', write.id, write.version)
end
for _, owner in ipairs(former) do
  local holder = redis.call('HGET', prefix .. 'primaries', owner)
  if holder and accounts[holder] ~= nil then
    redis.call('HDEL', prefix .. 'primaries', owner)
  end
end
for owner, id in pairs(primaries) do
  redis.call('HSET', prefix .. 'primaries', owner, id)
end
for _, write in ipairs(change.accounts) do
  if write.facts then
    redis.call('HSET', account_of(write.id), 'version', write.version, 'record', write.record,
      'facts', write.facts, 'state', write.state)
  else
    redis.call('DEL', account_of(write.id))
  end
end
for _, locator in ipairs(locators_before) do
  redis.call('DEL', prefix .. 'locator:' .. locator)
end
for locator, id in pairs(locators) do
  redis.call('SET', prefix .. 'locator:' .. locator, id)
end
for _, write in ipairs(change.keys) do
  if write.facts then
    redis.call('HSET', key_of(write.id), 'version', write.version, 'record', write.record,
      'facts', write.facts)
  else
    redis.call('DEL', key_of(write.id))
  end
end
for _, id in ipairs(ended_keys) do
  redis.call('HDEL', signing_keys, id)
end
for _, key in ipairs(change.signing_keys) do
  redis.call('HSET', signing_keys, key.id, key.document)
end
for _, member in ipairs(ended_tokens) do
  redis.call('HDEL', tokens, string.sub(member, 17))
  redis.call('ZREM', token_ends, member)
end
for id, ended in pairs(ends) do
  if ends_before[id] then
    redis.call('ZREM', token_ends, ends_before[id] .. id)
  end
  redis.call('HSET', tokens, id, ended)
  redis.call('ZADD', token_ends, 0, ended .. id)
end
for _, place in ipairs(erased) do
  redis.call('HDEL', prefix .. 'events', place)
end
for _, event in ipairs(change.events) do
  redis.call('HSET', prefix .. 'events', event.place, event.event)
end
return { 'applied', written(sequence), written(#erased) }
