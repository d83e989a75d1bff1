package taken

// Env is the variable that names the pipe of counts.
const Env = "NBRUN_TAKEN"
