-- In which sorted sets a record stands, and as which member. All members have the score 0, so that Redis
-- sorts them by their bytes.

-- After all instants: the place of what never expires.
local never = 'ffffffffffffffff'

-- The place of a key in the order that it is listed in, without its id.
local function place_of_key(facts, sort)
  if sort == 'enabled' then
    return facts.enabled and '1' or '0'
  elseif sort == 'expires' then
    return facts.expires or never
  elseif sort == 'name' then
    -- No name contains it, so a name comes before those that it begins.
    return facts.name .. '\0'
  end
  return facts[sort]
end

local function places_of_key(id, facts)
  local by_creation = facts.created .. id
  local places = {
    { 'keys:keyspace:' .. facts.keyspace, by_creation },
    { 'keys:owner:' .. facts.owner, by_creation },
  }
  for _, sort in ipairs({ 'created', 'enabled', 'expires', 'name', 'updated' }) do
    table.insert(places, { 'keys:' .. sort, place_of_key(facts, sort) .. id })
  end
  for _, tag in ipairs(facts.tags) do
    table.insert(places, { 'keys:tag:' .. tag, by_creation })
  end
  if facts.account then
    table.insert(places, { 'keys:account:' .. facts.account, by_creation })
  end
  for _, ending in ipairs({ 'deleted', 'revoked' }) do
    if facts[ending] then
      table.insert(places, { 'keys:' .. ending, facts[ending] .. id })
    end
  end
  return places
end

local function places_of_account(id, facts)
  local places = {
    { 'accounts:created', facts.created .. id },
    { 'accounts:updated', facts.updated .. id },
    { 'accounts:owner:' .. facts.owner, facts.created .. id },
  }
  if facts.deleted then
    table.insert(places, { 'accounts:deleted', facts.deleted .. id })
  end
  return places
end

local function places_of_event(place, event)
  local places = { { 'audit', place }, { 'audit:actor:' .. event.actor, place } }
  for _, about in ipairs({ 'account', 'key', 'owner' }) do
    if event[about] then
      table.insert(places, { 'audit:' .. about .. ':' .. event[about], place })
    end
  end
  return places
end
