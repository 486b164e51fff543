# Runs testthat on the app: Rscript dashboard/tests/run.R. Tests that read need libpq's PG* variables and the events of
# testing/dashboard/events.sql; `npm run test:dashboard` sets both up.
library(testthat)

here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))))
Sys.setenv(DASHBOARD_APP = file.path(dirname(here), "app"))
results <- as.data.frame(test_dir(file.path(here, "testthat"), reporter = "check", stop_on_failure = FALSE))
failed <- sum(results$failed) + sum(results$error)
cat(sprintf("%d passed, %d failed, %d skipped\n", sum(results$passed), failed, sum(results$skipped)))
quit(status = if (failed > 0 || nrow(results) == 0) 1 else 0)
