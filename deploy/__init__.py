"""What a server needs to run the system: image, compose file, configuration of the servers, rules, dashboards."""
