-- health.lua SCRIPT OBJECT: runs a health script with no more than what Argo CD gives it (base and table), and prints the
-- status and the message. In any version of Lua.
local script, object = arg[1], arg[2]
getmetatable("").__index = nil -- no string library by way of methods either
local world = {
  obj = dofile(object), assert = assert, error = error, ipairs = ipairs, pairs = pairs, next = next, pcall = pcall,
  select = select, table = table, tonumber = tonumber, tostring = tostring, type = type, unpack = table.unpack or unpack,
}
local chunk
if setfenv then
  chunk = assert(loadfile(script))
  setfenv(chunk, world)
else
  chunk = assert(loadfile(script, "t", world))
end
local result = chunk()
assert(type(result) == "table", "no table is returned")
io.write(tostring(result.status), "\n", tostring(result.message), "\n")
