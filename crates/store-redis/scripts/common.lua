-- What all scripts have in common. Scripts are put together of such files and begin with a line for Redis.
--
-- Instants and places in an order are texts of which the bytes sort, as numbers here are doubles and
-- know no more than 53 bits. All names begin with the prefix, whose hash tag keeps them in one slot.

local prefix = KEYS[1]

local function key_of(id)
  return prefix .. 'key:' .. id
end

local function account_of(id)
  return prefix .. 'account:' .. id
end

-- Reads JSON that was stored; `what` is said to be corrupt if that does not work.
local function decode(text, what)
  local is_read, value = pcall(cjson.decode, text)
  if not is_read or type(value) ~= 'table' then
    error({ err = 'CORRUPT ' .. what })
  end
  return value
end

-- The place of the last change in the feed.
local function position()
  local last = redis.call('XREVRANGE', prefix .. 'feed', '+', '-', 'COUNT', 1)[1]
  if not last then
    return 0
  end
  return tonumber(string.match(last[1], '^(%d+)-0$'))
end

-- A whole number as text, without an exponent.
local function written(number)
  return string.format('%.0f', number)
end

local account_states = {}

-- The state of a key's service account; one that is not there counts as deleted.
local function account_state(id)
  if not id then
    return 'active'
  end
  if not account_states[id] then
    account_states[id] = redis.call('HGET', account_of(id), 'state') or 'deleted'
  end
  return account_states[id]
end
