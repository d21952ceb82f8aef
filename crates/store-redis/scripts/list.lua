-- A page of keys, or of those that have ended.
-- ARGV: the query as JSON.

local query = cjson.decode(ARGV[1])
local page = new_page(query)

local function set_of(list)
  local set = {}
  for _, value in ipairs(list or {}) do
    set[value] = true
  end
  return set
end

local states, spared = query.states and set_of(query.states), set_of(query.spared)

-- The state of a key, as `KeyRecord::state` tells it.
local function state_of(facts)
  local now = facts.updated > query.now and facts.updated or query.now
  local account = account_state(facts.account)
  if facts.deleted or account == 'deleted' then
    return 'deleted'
  elseif facts.expires and facts.expires <= now then
    return 'expired'
  elseif facts.revoked and facts.revoked <= now then
    return 'revoked'
  elseif not facts.enabled or account == 'disabled' then
    return 'disabled'
  elseif facts.not_before and facts.not_before > now then
    return 'not_yet_valid'
  end
  return 'active'
end

local function has_tags(facts)
  local own = set_of(facts.tags)
  for _, tag in ipairs(query.tags or {}) do
    if (own[tag] or false) ~= query.has_all_tags then
      return not query.has_all_tags
    end
  end
  return query.has_all_tags
end

local function is_found(facts)
  local text = query.is_in_notes and string.sub(facts.search, 1, facts.notes) or facts.search
  return string.find(text, query.search, 1, true)
end

-- The same rule as `KeyQuery::includes`.
local function is_wanted(facts)
  return (not query.owner or query.owner == facts.owner)
    and (not query.account or query.account == facts.account)
    and (not query.keyspace or query.keyspace == facts.keyspace)
    and not spared[facts.keyspace]
    and not (query.unless_expired_by and facts.expires and facts.expires <= query.unless_expired_by)
    and not (query.unless_revoked_by and facts.revoked and facts.revoked <= query.unless_revoked_by)
    and (not query.tags or has_tags(facts))
    and (not states or states[state_of(facts)])
    and (not query.search or is_found(facts))
end

local function facts_of(id)
  return decode(redis.call('HGET', key_of(id), 'facts') or '', 'key')
end

local function row_of(id, facts)
  local stored = redis.call('HMGET', key_of(id), 'record', 'last_used', 'uses', 'previous_uses')
  return { stored[1], account_state(facts.account), stored[2], stored[3], stored[4] }
end

local function visit(id)
  local facts = facts_of(id)
  return is_wanted(facts) and page.add(function()
    return row_of(id, facts)
  end)
end

-- Whether a text comes before another by their bytes. `<` goes by the locale of the server, which is no
-- matter for texts of digits that are as long as each other, and is one for all others.
local function is_before(one, other)
  for place = 1, math.min(#one, #other) do
    local left, right = string.byte(one, place), string.byte(other, place)
    if left ~= right then
      return left < right
    end
  end
  return #one < #other
end

-- Sorts what stands in a narrow set, which is by creation. A walk in the order that is asked for would visit
-- keys of everybody.
local function sort_narrow()
  local candidates, after = {}, query.after
  for _, member in ipairs(redis.call('ZRANGE', prefix .. query.narrow, 0, -1)) do
    local id = string.sub(member, 17)
    local facts = facts_of(id)
    local place = place_of_key(facts, query.sort) .. id
    local is_after = not after
      or (query.is_descending and is_before(place, after))
      or (not query.is_descending and is_before(after, place))
    if is_after and is_wanted(facts) then
      table.insert(candidates, { id = id, facts = facts, place = place })
    end
  end
  table.sort(candidates, function(one, other)
    if query.is_descending then
      return is_before(other.place, one.place)
    end
    return is_before(one.place, other.place)
  end)
  for _, candidate in ipairs(candidates) do
    local is_full = page.add(function()
      return row_of(candidate.id, candidate.facts)
    end)
    if is_full then
      break
    end
  end
end

if query.narrow and redis.call('ZCARD', prefix .. query.narrow) <= query.most_to_sort then
  sort_narrow()
  return page.answer(nil)
end
return page.answer(walk(query, function(member)
  -- Ids hold neither the byte that ends a name nor are they empty.
  return visit(query.sort == 'name' and string.match(member, '[^%z]+$') or string.sub(member, query.id_from))
end))
