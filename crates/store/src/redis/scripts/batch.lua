-- A batch about a conversation: all of it or nothing.
-- KEYS: records, ids, conversation, lane, then indexes
-- ARGV: generation; revision that must be, or ''; last record that the caller knows, or ''; revision of the row that it knows, or
-- ''; ticket or ''; then steps, a letter with its arguments each:
--   A id|'' body   append             X seq id|'' body   replace (redact)   R value   row      M side delivered read   marks
--   E last         erase              S, s index member  set: add, remove   Z, z index member   sorted set: add, remove
local log, ids, conv, lane = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if redis.call('HGET', lane, 'g') ~= ARGV[1] then return {'G'} end
local arguments = {A = 2, X = 3, R = 1, M = 3, E = 1, S = 2, s = 2, Z = 2, z = 2}
local steps, i = {}, 6
while i <= #ARGV do
  local name = ARGV[i]
  local step = {name, ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]}
  steps[#steps + 1] = step
  i = i + 1 + arguments[name]
end
-- Tickets: those of the last batches, with what became of each. Erased conversations have theirs in the lane.
local ticket, erases = ARGV[5], steps[1] and steps[1][1] == 'E'
for _, step in ipairs(steps) do erases = erases or step[1] == 'E' end
local holder, field = conv, 'k'
if erases then holder, field = lane, 'e' end
local tickets = ''
if ticket ~= '' then
  tickets = redis.call('HGET', holder, field) or ''
  for at = 1, #tickets, 30 do
    if string.sub(tickets, at, at + 7) == ticket then
      local first, count, ms, v = struct.unpack('>I8I2I8I4', tickets, at + 8)
      return {'T', first, ms, v, count}
    end
  end
end
local v = redis.call('HGET', conv, 'v') or '0'
for _, step in ipairs(steps) do
  if step[1] == 'A' and step[2] ~= '' then
    local seq = redis.call('HGET', ids, step[2])
    if seq then return {'D', tonumber(seq), redis.call('LINDEX', log, seq - 1), tonumber(v)} end
  end
end
if ARGV[2] ~= '' and v ~= ARGV[2] then return {'C'} end
local n = redis.call('LLEN', log)
local added, new = 0, {}
for _, step in ipairs(steps) do
  if step[1] == 'A' then
    added = added + 1
    new[n + added] = step[2]
  elseif step[1] == 'X' then
    local seq, id, same = tonumber(step[2]), step[3], nil
    if seq < 1 or seq > n + added then return {'I', 1} end
    if seq > n then
      same = new[seq] == id
    elseif id ~= '' then
      same = redis.call('HGET', ids, id) == step[2]
    else
      -- only envelopes begin so, and they have ids
      same = string.sub(redis.call('LINDEX', log, seq - 1), 9, 10) ~= 'K1'
    end
    if not same then return {'I', 2} end
  elseif step[1] == 'E' and tonumber(step[2]) ~= n then
    return {'C'}
  end
end
-- from here on nothing can fail
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
if n > 0 then at = math.max(at, (struct.unpack('>I8', redis.call('LINDEX', log, -1)))) end
local missed, row, have, first = {}, false, tonumber(ARGV[3]), n + 1
if have and have < n and n - have < 16 then missed = redis.call('LRANGE', log, have, n - 1) end
if ARGV[4] ~= '' and ARGV[4] ~= v then row = redis.call('HGET', conv, 'r') end
local head, bytes, rows, erased = struct.pack('>I8', at), 0, 0, false
-- numbers as two halves: together they may be larger than what Lua counts exactly
local function larger(a, b)
  local a1, a2 = struct.unpack('>I4I4', a)
  local b1, b2 = struct.unpack('>I4I4', b)
  if a1 > b1 or (a1 == b1 and a2 > b2) then return a else return b end
end
for _, step in ipairs(steps) do
  local name = step[1]
  if name == 'A' then
    local record = head .. step[3]
    n, bytes = redis.call('RPUSH', log, record), bytes + #record
    if step[2] ~= '' then redis.call('HSET', ids, step[2], n) end
  elseif name == 'X' then
    local old = redis.call('LINDEX', log, step[2] - 1)
    local record = string.sub(old, 1, 8) .. step[4]
    redis.call('LSET', log, step[2] - 1, record)
    bytes = bytes + #record - #old
  elseif name == 'R' then
    redis.call('HSET', conv, 'r', step[2])
    v, rows = redis.call('HINCRBY', conv, 'v', 1), rows + 1
  elseif name == 'M' then
    local mark, delivered, read = 'm' .. step[2], step[3], step[4]
    local old = redis.call('HGET', conv, mark)
    if old then
      delivered = larger(delivered, string.sub(old, 1, 8))
      read = larger(read, string.sub(old, 9, 16))
    end
    redis.call('HSET', conv, mark, delivered .. read)
  elseif name == 'S' then
    redis.call('SADD', KEYS[tonumber(step[2])], step[3])
  elseif name == 's' then
    redis.call('SREM', KEYS[tonumber(step[2])], step[3])
  elseif name == 'Z' then
    redis.call('ZADD', KEYS[tonumber(step[2])], 0, step[3])
  elseif name == 'z' then
    redis.call('ZREM', KEYS[tonumber(step[2])], step[3])
  elseif name == 'E' then
    redis.call('DEL', log, ids, conv)
    erased, v, bytes = true, 0, 0
  end
end
if bytes ~= 0 then redis.call('HINCRBY', conv, 'b', bytes) end
local changes = 0
if rows > 0 or erased then changes = redis.call('HINCRBY', lane, 'n', 1) end
if ticket ~= '' then
  local mine = ticket .. struct.pack('>I8I2I8I4', first, added, at, v)
  redis.call('HSET', holder, field, string.sub(tickets .. mine, -240))
end
return {'W', first, at, tonumber(v), changes, missed, row}
