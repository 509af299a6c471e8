-- All tables of the company at one moment, for a copy of them. Writes nothing.
-- KEYS: values of each table
local tables = {}
for i, values in ipairs(KEYS) do tables[i] = redis.call('HGETALL', values) end
return tables
