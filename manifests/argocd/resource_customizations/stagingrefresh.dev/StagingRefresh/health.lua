-- The health of a StagingRefresh for Argo CD. It goes by conditions; status.phase is for people.
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

local ready, stalled, reconciling = condition("Ready"), condition("Stalled"), condition("Reconciling")

if stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if obj.spec ~= nil and obj.spec.suspend == true then
  return health("Suspended", "spec.suspend is true: nothing new is started")
end
-- A person has the next word, as with a paused rollout.
if reconciling.status == "True" and reconciling.reason == "AwaitingApproval" then
  return health("Suspended", reconciling.message)
end
if reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
return health("Progressing", ready.message or "The controller has not said yet whether it is ready")
