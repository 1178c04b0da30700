-- The health of an AWSAccount for Argo CD, by its conditions.
local function condition(type)
  for _, c in ipairs(obj.status.conditions or {}) do
    if c.type == type then return c end
  end
  return {}
end

local function health(status, message)
  return {status = status, message = message or ""}
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "Being deleted")
end
if obj.status == nil or obj.status.conditions == nil then
  return health("Progressing", "Waiting for the controller")
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The controller has not seen the latest change yet")
end

local ready, stalled = condition("Ready"), condition("Stalled")

if stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
return health("Progressing", ready.message or "The controller has not said yet whether it is ready")
