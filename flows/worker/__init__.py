"""The worker: one long-lived process that runs waves when somebody is due, and what people start in Prefect.

Prefect's own ``serve`` starts a process for every run, which costs about two seconds of CPU. Here runs of the
deployments are taken from the API and executed in this process, on the connections that are open already.
"""
