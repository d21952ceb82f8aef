-- Counts audit events by action, and finds the last one of each.
-- ARGV: the query as JSON.

local query = cjson.decode(ARGV[1])
local counts, lasts, actions = {}, {}, {}

local last = walk(query, function(place)
  local _, event = event_at(place)
  if is_meant(query.filter, event) then
    local action = event.action
    if not counts[action] then
      counts[action] = 0
      table.insert(actions, action)
    end
    counts[action] = counts[action] + 1
    -- The walk goes from the oldest to the newest.
    lasts[action] = string.sub(place, 1, 16)
  end
end)

local rows = {}
for _, action in ipairs(actions) do
  table.insert(rows, { action, written(counts[action]), lasts[action] })
end
return { written(position()), '0', last or '', rows }
