-- Lists: walking along a sorted set, and taking a page of what is wanted.

-- How many members are read at a time.
local stride = 100

-- Calls `visit` with the members within the bounds until it returns true. Returns the last one that was
-- visited, if as many were visited as may be in one call and there may be more.
local function walk(bounds, visit)
  local low, high, visited = bounds.low, bounds.high, 0
  local index = prefix .. bounds.index
  repeat
    local members
    if bounds.is_descending then
      members = redis.call('ZRANGE', index, high, low, 'BYLEX', 'REV', 'LIMIT', 0, stride)
    else
      members = redis.call('ZRANGE', index, low, high, 'BYLEX', 'LIMIT', 0, stride)
    end
    for _, member in ipairs(members) do
      if visit(member) then
        return nil
      end
    end
    local last = members[#members]
    visited = visited + #members
    if #members == stride and bounds.most and visited >= bounds.most then
      return last
    end
    low = not bounds.is_descending and last and '(' .. last or low
    high = bounds.is_descending and last and '(' .. last or high
  until #members < stride
end

-- A page that is filled row by row: passes over some, takes some, and counts all if it is asked to.
local function new_page(query)
  local page = { counted = 0, rows = {} }

  -- Takes the row that `read` returns, and tells whether nothing more is wanted.
  function page.add(read)
    page.counted = page.counted + 1
    if page.counted > query.skip and #page.rows < query.take then
      table.insert(page.rows, read())
    end
    return not query.is_counting and #page.rows >= query.take
  end

  function page.answer(last)
    return { written(position()), written(page.counted), last or '', page.rows }
  end

  return page
end
