"""Running the service: both planes' servers (:mod:`.server`) and the schedule (:mod:`.scheduler`)."""
