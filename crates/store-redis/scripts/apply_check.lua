-- Makes a change, or nothing of it.
-- ARGV: the change as JSON; the schema that is known.
--
-- A script that fails half-way has written half. So everything is checked first, and every name that is
-- written is looked at before: one that holds something else, or has moved to another node, ends the
-- script here. After the checks nothing is called that could fail.

local change = cjson.decode(ARGV[1])
local meta, feed, changes = prefix .. 'meta', prefix .. 'feed', prefix .. 'changes'

local known = redis.call('HMGET', meta, 'schema', 'sealed')
if known[1] ~= ARGV[2] then
  error({ err = 'SCHEMA' })
end
local first = redis.call('HGET', changes, change.id)
if first then
  if change.is_awaited then
    -- Replicas are waited for by what this connection has written.
    redis.call('HSET', meta, 'repeated', first)
  end
  return { 'repeated', first }
end
if known[2] == '1' then
  return { 'sealed' }
end

local looked_at = {}

local function look_at(command, name)
  if not looked_at[name] then
    looked_at[name] = true
    redis.call(command, name)
  end
end

-- What records leave and enter: sorted sets, each with a member.
local left, entered = {}, {}

local function leave(places)
  for _, place in ipairs(places) do
    look_at('ZCARD', prefix .. place[1])
    table.insert(left, place)
  end
end

local function enter(places)
  for _, place in ipairs(places) do
    look_at('ZCARD', prefix .. place[1])
    table.insert(entered, place)
  end
end

-- Whether a row has the version that the change was made from, and is not written twice.
local function conflict_of(write, stored, is_repeated)
  if (stored or nil) ~= write.expected or is_repeated then
    return write.expected and 'outdated' or 'exists'
  end
end

local function check_keyspaces()
  local written_ids = {}
  for _, write in ipairs(change.keyspaces) do
    look_at('HLEN', prefix .. 'keyspaces')
    local stored = redis.call('HGET', prefix .. 'keyspace_versions', write.id)
    local conflict = conflict_of(write, stored, written_ids[write.id])
    if conflict then
      return conflict
    end
    written_ids[write.id] = true
  end
end

-- The accounts that the change writes: whether they are there afterwards.
local accounts = {}
-- The primary accounts that owners have afterwards, and those that are no longer theirs.
local primaries, former = {}, {}

local function check_account(write)
  local stored = redis.call('HMGET', account_of(write.id), 'version', 'facts')
  local conflict = conflict_of(write, stored[1], accounts[write.id] ~= nil)
  if conflict then
    return conflict
  end
  if not write.facts and redis.call('ZCARD', prefix .. 'keys:account:' .. write.id) > 0 then
    return 'outdated'
  end
  accounts[write.id] = write.facts ~= nil
  if stored[1] then
    local before = decode(stored[2], 'service account')
    leave(places_of_account(write.id, before))
    table.insert(former, before.owner)
  end
  if write.facts then
    local after = decode(write.facts, 'change')
    enter(places_of_account(write.id, after))
    if after.is_primary and not after.deleted then
      if primaries[after.owner] then
        return 'exists'
      end
      primaries[after.owner] = write.id
    end
  end
end

local function check_accounts()
  for _, write in ipairs(change.accounts) do
    local conflict = check_account(write)
    if conflict then
      return conflict
    end
  end
  if #change.accounts > 0 then
    look_at('HLEN', prefix .. 'primaries')
  end
  for owner in pairs(primaries) do
    local holder = redis.call('HGET', prefix .. 'primaries', owner)
    if holder and accounts[holder] == nil then
      return 'exists'
    end
  end
end

-- The locators that keys have had and have afterwards.
local locators_before, locators = {}, {}

local function check_locators(id, facts)
  for _, locator in ipairs(facts.locators) do
    local holder = redis.call('GET', prefix .. 'locator:' .. locator)
    if holder and holder ~= id or locators[locator] and locators[locator] ~= id then
      return 'exists'
    end
    locators[locator] = id
  end
end

local function check_key(write, is_repeated)
  local stored = redis.call('HMGET', key_of(write.id), 'version', 'facts')
  local conflict = conflict_of(write, stored[1], false)
  if conflict then
    return conflict
  end
  local after = write.facts and decode(write.facts, 'change')
  local account = after and after.account
  if account then
    local is_there = accounts[account]
    if is_there == nil then
      is_there = redis.call('EXISTS', account_of(account)) == 1
    end
    if not is_there then
      return 'outdated'
    end
  end
  if is_repeated then
    return write.expected and 'outdated' or 'exists'
  end
  if stored[1] then
    local before = decode(stored[2], 'key')
    leave(places_of_key(write.id, before))
    for _, locator in ipairs(before.locators) do
      look_at('GET', prefix .. 'locator:' .. locator)
      table.insert(locators_before, locator)
    end
  end
  if after then
    enter(places_of_key(write.id, after))
    return check_locators(write.id, after)
  end
end

local function check_keys()
  local written_ids = {}
  for _, write in ipairs(change.keys) do
    local conflict = check_key(write, written_ids[write.id])
    if conflict then
      return conflict
    end
    written_ids[write.id] = true
  end
end

local conflict = check_keyspaces() or check_accounts() or check_keys()
if conflict then
  return { conflict }
end
