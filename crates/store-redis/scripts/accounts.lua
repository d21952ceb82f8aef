-- A page of service accounts.
-- ARGV: the query as JSON.

local query = cjson.decode(ARGV[1])
local page = new_page(query)

-- The same rule as `AccountQuery::includes`.
local function is_wanted(state, facts)
  local is_shown = query.with_deleted or state ~= 'deleted'
  if query.state then
    is_shown = state == query.state
  end
  return is_shown
    and (not query.owner or query.owner == facts.owner)
    and (query.is_primary == nil or query.is_primary == facts.is_primary)
    and (not query.deleted_by or (facts.deleted and facts.deleted <= query.deleted_by))
    and (not query.search or string.find(facts.search, query.search, 1, true))
end

return page.answer(walk(query, function(member)
  local account = account_of(string.sub(member, 17))
  local stored = redis.call('HMGET', account, 'state', 'facts')
  return is_wanted(stored[1], decode(stored[2] or '', 'service account')) and page.add(function()
    return redis.call('HGET', account, 'record')
  end)
end))
