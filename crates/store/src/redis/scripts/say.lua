-- Appends to a conversation, on the path of nearly every message.
-- KEYS: records, ids, conversation, lane
-- ARGV: generation; revision that must be, or ''; last record that the caller knows, or ''; revision of the row that it knows, or
-- ''; then id (or '') and body of each record
local log, ids, conv = KEYS[1], KEYS[2], KEYS[3]
if redis.call('HGET', KEYS[4], 'g') ~= ARGV[1] then return {'G'} end
local v = redis.call('HGET', conv, 'v') or '0'
for i = 5, #ARGV, 2 do
  if ARGV[i] ~= '' then
    local seq = redis.call('HGET', ids, ARGV[i])
    if seq then return {'D', tonumber(seq), redis.call('LINDEX', log, seq - 1), tonumber(v)} end
  end
end
if ARGV[2] ~= '' and v ~= ARGV[2] then return {'C'} end
local n = redis.call('LLEN', log)
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
if n > 0 then at = math.max(at, (struct.unpack('>I8', redis.call('LINDEX', log, -1)))) end
local head, first, bytes = struct.pack('>I8', at), n + 1, 0
for i = 5, #ARGV, 2 do
  local record = head .. ARGV[i + 1]
  n, bytes = redis.call('RPUSH', log, record), bytes + #record
  if ARGV[i] ~= '' then redis.call('HSET', ids, ARGV[i], n) end
end
redis.call('HINCRBY', conv, 'b', bytes)
-- what others wrote since the caller looked: it stays in order without another question
local missed, row, have = {}, false, tonumber(ARGV[3])
if have and have + 1 < first and first - have <= 16 then missed = redis.call('LRANGE', log, have, first - 2) end
if ARGV[4] ~= '' and ARGV[4] ~= v then row = redis.call('HGET', conv, 'r') end
return {'W', first, at, tonumber(v), 0, missed, row}
