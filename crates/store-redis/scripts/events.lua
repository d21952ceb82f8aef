-- Which audit events are meant.

-- The same rule as `AuditFilter::includes`, instants excepted: those are bounds of the walk.
local function is_meant(filter, event)
  for _, about in ipairs({ 'account', 'action', 'actor', 'key', 'keyspace', 'owner' }) do
    if filter[about] and filter[about] ~= event[about] then
      return false
    end
  end
  return true
end

-- An event as it is stored, and as it is read.
local function event_at(place)
  local stored = redis.call('HGET', prefix .. 'events', place)
  return stored, decode(stored or '', 'audit event')
end
