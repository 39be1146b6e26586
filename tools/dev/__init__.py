"""What `./dev` does, in the standard library alone: it has to run before anything is installed.

=============  ====================================================================
`words`        the table of words, and the way from the command line to one of them
`setting_up`   the steps of the set-up in their order
`system`       pure: what the machine lacks and who we are -> what to install
`system_install` looks at the machine and does it
`python_env`   the virtual environment, from the hashed lock files
`node`         Node and npm, and the build of the web app
`stamps`       content hashes, so that a step that has nothing to do costs nothing
`progress`     one line at a step's start and end, a heartbeat between
`own_checks`   pure: lock files, sizes of files, addresses and paths
`checking`     every check, ours and the tools'
`schema`       what is made from the wire
`testing`      the tests, Python's and the web app's
`locking`      makes the lock files
`benching`     runs the benchmarks
=============  ====================================================================
"""
