#!/usr/bin/env python3
"""Compares our endpoints with those that botocore's rules give, for every service that we call and every Region.

usage: endpoint_botocore.py DRIVER

DRIVER is the program made of endpoint_driver.c.  Exits with 77 when there is no botocore.
"""
import subprocess
import sys

try:
    import botocore.session
    from botocore.endpoint_provider import EndpointProvider
except ImportError:
    print("no botocore: skipped")
    sys.exit(77)

PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"]


def regions_of(partitions):
    for partition in partitions["partitions"]:
        if partition["id"] in PARTITIONS:
            yield from (region for region in partition["regions"] if not region.endswith("-global"))


def theirs(provider, service, region, fips, dual_stack):
    # The one host for all Regions is what SDKs used in old times.
    extra = {"UseGlobalEndpoint": False} if service == "sts" else {}
    endpoint = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual_stack, **extra)
    schemes = endpoint.properties.get("authSchemes") or [{}]
    return endpoint.url, schemes[0].get("signingRegion", region)


def main():
    loader = botocore.session.Session().get_component("data_loader")
    partitions = loader.load_data("partitions")
    lines = subprocess.run([sys.argv[1], *regions_of(partitions)], capture_output=True, text=True, check=True).stdout.splitlines()
    providers = {}
    differences = 0
    for line in lines:
        service, region, fips, dual_stack, url, signed_for = line.split()
        if service not in providers:
            providers[service] = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
        want = theirs(providers[service], service, region, fips == "1", dual_stack == "1")
        if (url, signed_for) != want:
            differences += 1
            print("%s %s%s%s: %s for %s, botocore has %s for %s" % (
                service, region, " FIPS" * (fips == "1"), " dual-stack" * (dual_stack == "1"), url, signed_for, *want))
    print("%d endpoints of %d services, %d different" % (len(lines), len(providers), differences))
    return 1 if differences or not lines else 0


sys.exit(main())
