-- A page of the audit trail.
-- ARGV: the query as JSON.

local query = cjson.decode(ARGV[1])
local page = new_page(query)

return page.answer(walk(query, function(place)
  local stored, event = event_at(place)
  return is_meant(query.filter, event) and page.add(function()
    return { place, stored }
  end)
end))
