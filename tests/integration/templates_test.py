#!/usr/bin/env python3
"""manifests/aws in the simulator. The buses, rules, queue and policies of the templates are made by the real aws command, the roles
become the world's; then an event of a backup in production arrives in staging's queue, and without the bus's policy it does not.
The simulator does not look at the resources of a role's statements: here each action is tried on what it is called for.

    templates_test.py AWSSIM AWS CFN_LINT      run with a Python that has PyYAML
"""
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

from templates_asked import ASKED, NEVER, NONE, PROD, REGION, STG

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONTROLLER = f"arn:aws:iam::{STG}:user/stagingrefresh"
GIVEN = {
    "source": {"TargetAccountId": STG, "ControllerPrincipalArn": CONTROLLER, "ExternalId": "staging-cluster"},
    "target": {"SourceAccountId": PROD, "ControllerPrincipalArn": CONTROLLER, "ExternalId": "staging-cluster",
               "ClusterNames": "shop-stg-*", "TableNames": "stg-sessions-*", "ParameterNames": "shop/stg/*",
               "SecretNames": "shop/stg/*", "EcsServices": "shop-stg/*", "FunctionNames": "refresh-hook",
               "StateMachineNames": "mask-staging", "ProxyRoleName": "shop-stg-proxy",
               "ManagedPasswords": "true", "ManagedPasswordKeyArn": f"arn:aws:kms:{REGION}:{STG}:key/managed-1111-2222",
               "DataKeyArn": f"arn:aws:kms:{REGION}:{STG}:key/11111111-2222-3333-4444-555555555555"},
}
ACCOUNT = {"source": PROD, "target": STG}


def listed(value):
    return value if isinstance(value, list) else [value]


class Stack:
    """A template with its parameters, as far as these templates need CloudFormation."""

    def __init__(self, side):
        with open(f"{ROOT}/manifests/aws/{side}-account.yaml") as file:
            self.template = yaml.safe_load(file)
        self.account = ACCOUNT[side]
        self.values = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": self.account,
                       "AWS::URLSuffix": "amazonaws.com"}
        for name, parameter in self.template["Parameters"].items():
            self.values[name] = GIVEN[side].get(name, parameter.get("Default"))
            assert self.values[name] is not None, f"{side}: no value for {name}"

    def resource(self, name):
        return self.template["Resources"][name]

    def name(self, name):
        """What AWS would call it; a rule without a name gets one."""
        properties = self.resource(name)["Properties"]
        kind = self.resource(name)["Type"].split("::")[-1]
        key = {"Queue": "QueueName", "EventBus": "Name", "Role": "RoleName", "BackupVault": "BackupVaultName"}.get(kind, "Name")
        return self.resolve(properties[key]) if key in properties else f"stack-{name}-1A2B3C"

    def arn(self, name):
        kind = self.resource(name)["Type"]
        here = f"{REGION}:{self.account}"
        if kind == "AWS::SQS::Queue":
            return f"arn:aws:sqs:{here}:{self.name(name)}"
        if kind == "AWS::Events::EventBus":
            return f"arn:aws:events:{here}:event-bus/{self.name(name)}"
        if kind == "AWS::Events::Rule":
            bus = self.resource(name)["Properties"].get("EventBusName")
            return f"arn:aws:events:{here}:rule/" + (self.name(bus["Ref"]) + "/" if bus else "") + self.name(name)
        if kind == "AWS::IAM::Role":
            return f"arn:aws:iam::{self.account}:role/{self.name(name)}"
        if kind == "AWS::Backup::BackupVault":
            return f"arn:aws:backup:{here}:backup-vault:{self.name(name)}"
        raise KeyError(kind)

    def resolve(self, value):
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            name = value["Ref"]
            return self.values[name] if name in self.values else self.name(name)
        if set(value) == {"Fn::Sub"}:
            return re.sub(r"\$\{([^}]+)\}", lambda match: self.values[match[1]], value["Fn::Sub"])
        if set(value) == {"Fn::GetAtt"}:
            return self.arn(value["Fn::GetAtt"][0])
        return {key: self.resolve(item) for key, item in value.items()}

    def of_type(self, kind):
        for name, resource in self.template["Resources"].items():
            # A name that is not given switches its resources off.
            if resource["Type"] == kind and resource.get("Condition") != "WithDatabaseEvents":
                yield name, self.resolve(resource["Properties"])

    def statements(self, name):
        """Of a role's policies, the conditional ones too."""
        documents = [policy["PolicyDocument"] for policy in self.resource(name)["Properties"].get("Policies", [])]
        documents += [resource["Properties"]["PolicyDocument"] for resource in self.template["Resources"].values()
                      if resource["Type"] == "AWS::IAM::Policy" and {"Ref": name} in resource["Properties"]["Roles"]]
        return [self.resolve(statement) for document in documents for statement in document["Statement"]]

    def trust(self, name):
        """Whom a role trusts, as the world file says it."""
        trust, tagging = [], []
        for statement in self.resolve(self.resource(name)["Properties"]["AssumeRolePolicyDocument"])["Statement"]:
            principal = statement["Principal"]
            if statement["Action"] == "sts:TagSession":
                tagging.append(principal)
            elif "Service" in principal:
                trust.append({"service": principal["Service"]})
            else:
                trust.append({"principal": principal["AWS"], "externalID": statement["Condition"]["StringEquals"]["sts:ExternalId"]})
        for one in trust:
            if {"AWS": one.get("principal")} in tagging:
                one["tagSession"] = True
        return trust

    def role_of_world(self, name):
        """A role as the world file says it: its actions, and whom it trusts."""
        properties = self.resource(name)["Properties"]
        actions = {action for statement in self.statements(name) for action in listed(statement["Action"])}
        role = {"name": self.name(name), "trust": self.trust(name)}
        if actions:
            role["allow"] = sorted(actions)
        if "ManagedPolicyArns" in properties:
            role["managed"] = [self.resolve(arn).split("/")[-1] for arn in properties["ManagedPolicyArns"]]
        return role


def make_world(stacks, path):
    """The shop's world with the templates' roles and vault policy, and without queue, buses and rules."""
    with open(f"{ROOT}/hack/awssim/worlds/shop.yaml") as file:
        world = yaml.safe_load(file)
    world["habits"] = {"lostEvents": 0, "duplicatedEvents": 0}
    for account in world["accounts"]:
        stack = stacks["source" if account["id"] == PROD else "target"]
        account.pop("sqs", None)
        account.pop("events", None)
        account["iam"]["roles"] = [stack.role_of_world(name) for name, _ in stack.of_type("AWS::IAM::Role")]
        # Whoever creates the stacks.
        account["iam"].setdefault("users", []).append(
            {"name": "admin", "accessKeys": [{"id": f"AKIAADMIN{account['id'][0]}", "secret": "example-secret"}], "allow": ["*"]})
        for vault in account["backup"]["vaults"]:
            vault.pop("policy", None)
            policy = stack.resolve(stack.resource("Vault")["Properties"].get("AccessPolicy"))
            if policy:
                vault["policy"] = policy
    with open(path, "w") as file:
        json.dump(world, file)


class World:
    def __init__(self, awssim, aws, folder):
        self.aws_command, self.ready, self.checks = aws, f"{folder}/ready", 0
        self.process = subprocess.Popen([awssim, "--world", f"{folder}/world.yaml", "--time-scale", "0", "--ready-file", self.ready])
        deadline = time.monotonic() + 60
        while not os.path.exists(self.ready):
            assert self.process.poll() is None and time.monotonic() < deadline, "awssim does not serve"
            time.sleep(0.05)
        with open(self.ready) as file:
            self.url = file.read().strip()

    def aws(self, key, *arguments, session=None):
        """What the aws command prints, as JSON."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY="example-secret", AWS_DEFAULT_REGION=REGION,
                           AWS_MAX_ATTEMPTS="1", AWS_PAGER="", AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null")
        if session:
            environment.update(AWS_ACCESS_KEY_ID=session["AccessKeyId"], AWS_SECRET_ACCESS_KEY=session["SecretAccessKey"],
                               AWS_SESSION_TOKEN=session["SessionToken"])
        done = subprocess.run([self.aws_command, "--endpoint-url", self.url, "--output", "json", *arguments], env=environment,
                              capture_output=True, text=True)
        self.checks += 1
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr.strip()}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def session(self, account):
        return self.aws("AKIAEXAMPLE", "sts", "assume-role", "--role-arn", f"arn:aws:iam::{account}:role/staging-refresh",
                        "--role-session-name", "stagingrefresh", "--external-id", "staging-cluster",
                        "--tags", "Key=stagingrefresh.dev/run,Value=20261122-030002-k7x4q")["Credentials"]

    def advance(self, seconds):
        request = urllib.request.Request(f"{self.url}/_sim/clock", json.dumps({"advanceSeconds": seconds}).encode(), method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60).read()

    def stop(self):
        self.process.terminate()
        return self.process.wait()


ADMIN = {PROD: "AKIAADMIN1", STG: "AKIAADMIN2"}


def bus_of(properties):
    return ["--event-bus-name", properties["EventBusName"]] if "EventBusName" in properties else []


def put_rules(world, stack, **other):
    """With something else in their patterns."""
    for name, properties in stack.of_type("AWS::Events::Rule"):
        world.aws(ADMIN[stack.account], "events", "put-rule", "--name", stack.name(name), "--event-pattern",
                  json.dumps({**properties["EventPattern"], **other}), *bus_of(properties))


def create(world, stack):
    """What CloudFormation would ask of SQS and EventBridge. Gives the queue's URL, if there is a queue."""
    key, url = ADMIN[stack.account], None
    for _, properties in stack.of_type("AWS::SQS::Queue"):
        attributes = {name: json.dumps(value) for name, value in properties.items() if name != "QueueName"}
        url = world.aws(key, "sqs", "create-queue", "--queue-name", properties["QueueName"], "--attributes",
                        json.dumps(attributes))["QueueUrl"]
    for _, properties in stack.of_type("AWS::SQS::QueuePolicy"):
        world.aws(key, "sqs", "set-queue-attributes", "--queue-url", url, "--attributes",
                  json.dumps({"Policy": json.dumps(properties["PolicyDocument"])}))
    for _, properties in stack.of_type("AWS::Events::EventBus"):
        world.aws(key, "events", "create-event-bus", "--name", properties["Name"])
    put_rules(world, stack)
    for name, properties in stack.of_type("AWS::Events::Rule"):
        done = world.aws(key, "events", "put-targets", "--rule", stack.name(name), "--targets", json.dumps(properties["Targets"]),
                         *bus_of(properties))
        assert done["FailedEntryCount"] == 0, done
    return url


def allow(world, stack):
    for _, properties in stack.of_type("AWS::Events::EventBusPolicy"):
        statement = dict(properties["Statement"], Sid=properties["StatementId"])
        world.aws(ADMIN[stack.account], "events", "put-permission", "--event-bus-name", properties["EventBusName"], "--policy",
                  json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def back_up(world, session, token):
    """A backup, and all the time that its event may take."""
    job = world.aws("", "backup", "start-backup-job", "--backup-vault-name", "staging-refresh", "--resource-arn",
                    f"arn:aws:dynamodb:{REGION}:{PROD}:table/sessions", "--iam-role-arn",
                    f"arn:aws:iam::{PROD}:role/AWSBackupStagingRefresh", "--idempotency-token", token, session=session)["BackupJobId"]
    world.advance(900)
    return job


def receive(world, session, url, wait):
    """As the controller: all that is there, deleted."""
    answer = world.aws("", "sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--wait-time-seconds",
                       str(wait), session=session)
    messages = (answer or {}).get("Messages", [])
    if messages:
        entries = [{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)]
        done = world.aws("", "sqs", "delete-message-batch", "--queue-url", url, "--entries", json.dumps(entries), session=session)
        assert len(done["Successful"]) == len(messages), done
    return [json.loads(message["Body"]) for message in messages]


def check_spellings(world, stacks, session, url):
    """AWS Backup says "state" in some events and "status" in others: both come through. Nobody can put an event of AWS's, so the rules
    take those of another source for a while."""
    for stack in stacks.values():
        put_rules(world, stack, source=["example.backup"])
    details = [{"backupJobId": "by-state", "state": "COMPLETED"}, {"backupJobId": "by-status", "status": "COMPLETED"}]
    entries = [{"Source": "example.backup", "DetailType": "Backup Job State Change", "Detail": json.dumps(detail)} for detail in details]
    world.aws(ADMIN[PROD], "events", "put-events", "--entries", json.dumps(entries))
    world.advance(900)
    told = sorted(event["detail"]["backupJobId"] for event in receive(world, session, url, 0))
    for stack in stacks.values():
        put_rules(world, stack)
    assert told == ["by-state", "by-status"], told


def check(world, stacks):
    production, staging = world.session(PROD), world.session(STG)
    url = create(world, stacks["target"])
    create(world, stacks["source"])

    back_up(world, production, "without-policy")
    assert receive(world, staging, url, 0) == [], "an event came through without the policy of the bus"

    allow(world, stacks["target"])
    job = back_up(world, production, "with-policy")
    events = receive(world, staging, url, 1)
    told = sorted((event["account"], event["source"], event["detail"]["backupJobId"], event["detail"]["state"]) for event in events)
    assert told == [(PROD, "aws.backup", job, state) for state in ("COMPLETED", "CREATED", "RUNNING")], events

    point = world.aws("", "backup", "describe-backup-job", "--backup-job-id", job, session=production)["RecoveryPointArn"]
    copy = world.aws("", "backup", "start-copy-job", "--recovery-point-arn", point, "--source-backup-vault-name", "staging-refresh",
                     "--destination-backup-vault-arn", f"arn:aws:backup:{REGION}:{STG}:backup-vault:staging-refresh", "--iam-role-arn",
                     f"arn:aws:iam::{PROD}:role/AWSBackupStagingRefresh", "--idempotency-token", "copy", session=production)["CopyJobId"]
    world.advance(1800)
    told = sorted((event["account"], event["detail"].get("copyJobId", ""), event["detail"]["state"]) for event in
                  receive(world, staging, url, 0))
    assert told == [(PROD, "", "CREATED"), (PROD, copy, "COMPLETED"), (PROD, copy, "RUNNING")], told

    # Staging's own way: a restore tells "status", but at first.
    point = world.aws("", "backup", "describe-copy-job", "--copy-job-id", copy, session=production)["CopyJob"]["DestinationRecoveryPointArn"]
    job = world.aws("", "backup", "start-restore-job", "--recovery-point-arn", point, "--resource-type", "DynamoDB", "--iam-role-arn",
                    f"arn:aws:iam::{STG}:role/AWSBackupStagingRefresh", "--idempotency-token", "restore", "--metadata",
                    "targetTableName=sessions-stg,encryptionType=Default", session=staging)["RestoreJobId"]
    world.advance(3600)
    told = sorted((event["account"], event["detail"]["restoreJobId"], event["detail"].get("status", "")) for event in
                  receive(world, staging, url, 0))
    assert told == [(STG, job, ""), (STG, job, "COMPLETED"), (STG, job, "RUNNING")], told

    check_spellings(world, stacks, staging, url)

    # The controller's own notifications.
    entry = {"Source": "stagingrefresh.dev", "DetailType": "StagingRefresh Phase Change", "Detail": "{}"}
    done = world.aws("", "events", "put-events", "--entries", json.dumps([entry]), session=staging)
    assert done["FailedEntryCount"] == 0, done
    feigned = dict(entry, Source="aws.backup")
    done = world.aws("", "events", "put-events", "--entries", json.dumps([entry, feigned]), session=staging)
    assert done["FailedEntryCount"] == 1 and done["Entries"][1]["ErrorCode"] == "NotAuthorizedForSourceException", done


def may(statements, action, arn):
    return any(action in listed(statement["Action"]) and any(fnmatch.fnmatchcase(arn, pattern) for pattern in listed(statement["Resource"]))
               for statement in statements)


def check_resources(side, stack):
    """Gives how many questions were asked."""
    statements = stack.statements("Role")
    actions = {action for statement in statements for action in listed(statement["Action"])}
    assert actions == set(ASKED[side]), f"{side}: only here or only there: {sorted(actions ^ set(ASKED[side]))}"
    questions = [(action, arn, table is ASKED) for table in (ASKED, NEVER) for action, arns in table[side].items() for arn in arns]
    for action, arn, wanted in questions:
        assert may(statements, action, arn) == wanted, f"{side}: {action} on {arn} is {'not allowed' if wanted else 'allowed'}"
    elsewhere = [(action, arn.replace(stack.account, "333333333333")) for action, arn, _ in questions if ":kms:" not in arn and arn != NONE]
    for action, arn in elsewhere:
        assert not may([each for each in statements if each["Resource"] != "*"], action, arn), f"{side}: {action} on {arn} is allowed"
    return len(questions) + len(elsewhere)


def check_docs(stacks):
    """docs/events.md shows the patterns of the rules."""
    with open(f"{ROOT}/docs/events.md") as file:
        shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", file.read(), re.S)]
    patterns = [properties["EventPattern"] for stack in stacks.values() for _, properties in stack.of_type("AWS::Events::Rule")]
    assert sorted(map(json.dumps, shown)) == sorted(map(json.dumps, patterns)), shown


def lint(command):
    done = subprocess.run([command, "--include-checks", "I", "--", *(f"{ROOT}/manifests/aws/{side}-account.yaml" for side in ACCOUNT)],
                          capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout + done.stderr


def main():
    awssim, aws, cfn_lint = sys.argv[1:]
    lint(cfn_lint)
    stacks = {side: Stack(side) for side in ACCOUNT}
    check_docs(stacks)
    questions = sum(check_resources(side, stack) for side, stack in stacks.items())
    with tempfile.TemporaryDirectory() as folder:
        make_world(stacks, f"{folder}/world.yaml")
        world = World(awssim, aws, folder)
        try:
            check(world, stacks)
        finally:
            status = world.stop()
    assert status == 0, status
    print(f"2 templates clean, {questions} questions and {world.checks} calls as expected")


if __name__ == "__main__":
    main()
