-- A batch about the tables of the company: all of it or nothing.
-- KEYS: lane, then values and keys of each table
-- ARGV: generation; ticket or ''; then steps:
--   E table key has value   must be so      P table key value   put      D table key   delete
-- A table is named by the position of its values in KEYS.
if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then return {'G'} end
local ticket = ARGV[2]
local tickets = ticket ~= '' and redis.call('HGET', KEYS[1], 'k') or ''
for at = 1, #tickets, 16 do
  if string.sub(tickets, at, at + 7) == ticket then
    return {'T', 0, (struct.unpack('>I8', tickets, at + 8)), 0, 0}
  end
end
local arguments, steps, i = {E = 4, P = 3, D = 2}, {}, 3
while i <= #ARGV do
  local name = ARGV[i]
  steps[#steps + 1] = {name, tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]}
  i = i + 1 + arguments[name]
end
local changed = {} -- what the steps before leave, by table and key; false: nothing
for _, step in ipairs(steps) do
  local name, key = step[1], step[2] .. ':' .. step[3]
  if name == 'E' then
    local value = changed[key]
    if value == nil then value = redis.call('HGET', KEYS[step[2]], step[3]) end
    local wanted = step[4] == '1' and step[5]
    if value ~= wanted then return {'C'} end
  else
    changed[key] = name == 'P' and step[4]
  end
end
for _, step in ipairs(steps) do
  local values, keys = KEYS[step[2]], KEYS[step[2] + 1]
  if step[1] == 'P' then
    redis.call('HSET', values, step[3], step[4])
    redis.call('ZADD', keys, 0, step[3])
  elseif step[1] == 'D' then
    redis.call('HDEL', values, step[3])
    redis.call('ZREM', keys, step[3])
  end
end
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
if ticket ~= '' then
  redis.call('HSET', KEYS[1], 'k', string.sub(tickets .. ticket .. struct.pack('>I8', at), -1024))
end
return {'W', 0, at, 0, 0, {}, false}
