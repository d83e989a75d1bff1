// # What a notebook can do, and can't
//
// A cell is a program, and runs with the rights of whoever runs the notebook: it can
// read and write what they can, talk to the network, and end any of their processes,
// the runner included. Run a stranger's notebook where that does no harm, such as in a
// container. What follows holds even for careless or hostile notebooks. Each promise
// names its tests; names in small letters are scripts in scripts/nbrun/testdata/script.
//
// It can't hold the runner up:
//
//   - A cell ends with its time, and with the context, by which a first signal stops the
//     command; the runner may take twenty seconds more. An engine that takes longer is
//     given up, with the function that it waits in ([ErrHangs]).
//     (TestAnEngineThatHangsIsGivenUp, TestTheEndOfAContext, limits)
//   - Nor does it help a process to leave its group, to close its streams, or to leave
//     others behind that keep them open. (TestAProcessThatLeavesItsGroupIsKilled,
//     TestWhatIsLeftInTheBackgroundIsNotWaitedForAndCanBeKilled,
//     TestALinkWhosePipesAreHeldHoldsNobodyUp)
//   - What it writes to the pipe for displays is read as far as it makes sense; the rest
//     is a fault of the cell; 12,000 damaged streams were tried. What it says of its own
//     size gets no room before it is there.
//     (TestADamagedStreamOfDisplaysHoldsNobodyUp, FuzzDisplays,
//     TestAMapThatSaysItIsLargeGetsNoRoom, TestProgramsWithADamagedStreamEnd, hangs)
//   - Only regular files are notebooks, are read beside them, or are written by a cell's
//     commands. (TestWhatIsNoFileIsRefusedAtOnce, hangs)
//   - A second signal ends the command at once, and what cells have started with it. So
//     does the first one after 45 seconds, if it has to wait for somebody who reads its
//     output; it then says where it hangs. When nobody reads its output any more, it
//     stops by itself. (hangs)
//
// It can't fill the memory, nor the log:
//
//   - The runner needs no more than 300 MiB for a notebook whose Options.MaxOutput is
//     the default, whatever a cell puts out, and whatever length it claims for it. The
//     kernel, and the process that speaks with it, have memory of their own.
//     (TestMemoryIsBounded, TestAForgedLengthOfAFrameHoldsNothing, FuzzFrames)
//   - A cell puts out no more than Options.MaxOutput, and a notebook eight times as much;
//     a display has no more than 8 MiB, of which 1 MiB are lists and numbers. The run
//     goes on, and what is missing is said in the outputs, the summary and the events.
//     What a cell writes to files, with %capture too, is not counted.
//     (TestWhatIsBeyondTheLimitIsNotKept, TestTheCellsOfANotebookHaveALimitTogether,
//     TestADisplayThatIsTooLargeIsLeftOut, TestAMessageThatIsTooLargeIsLeftOut, limits)
//   - With Options.MaxMemory, on Linux, a cell that holds more is stopped, with what it has
//     started; what has cut itself loose, or grows within a fiftieth of a second, gets
//     beyond it. (TestTheMemoryOfCellsHasALimit, limits)
//   - What is kept outside memory lies in one file without a name, which goes with the
//     runner. (TestTheTextsOfANotebookShareAFile)
//
// It can't write what nobody can read: what is not JSON, or is nested too deeply for
// other programs, does not count as a display. (TestWhatIsNoJSONIsNoDisplay,
// TestWhatIsBeyondTheLimitIsNotKept)
//
// Other users of the machine can't reach it: the kernel's sockets are in a folder of
// the runner's own, except those of installed kernels that know only ports, and where
// the name of the temporary folder is too long for a socket. Messages are signed with a
// key that is in a file there. (TestNoOtherUserCanReachTheKernel,
// TestAKernelThatListensInNoFolderGetsPorts, TestTheConnectionFileIsPrivate)
//
// What is kept in the user's cache is not trusted:
//
//   - A file there that was changed, damaged, removed or added is never run, and nobody
//     has to clear anything away by hand; a program that can't be started is built once
//     more; 200 damages were tried. (TestDamageToTheCacheIsNeitherBelievedNorLasting,
//     TestASealIsBrokenByAnyChange, TestABinaryIsBuiltAgainWhenItsTurnComes,
//     TestDamageToTheOverlayIsNotBelieved, TestToolsAreBelievedAsTheyWereBuiltOnly, cache)
//   - A cache that another user has made, or could fill, is not used.
//     (TestACacheThatOthersCanFillIsNotUsed)
//   - It takes [CacheLimit] at most; what was not used for longest goes first, before it
//     the programs of notebooks that are no longer there, and nothing that is in use.
//     (TestTheOldestGoesFirst, TestOneNotebookDoesNotFillTheCache,
//     TestWhatIsOfNoNotebookGoes)
//
// No flag, variable, compiler or module of a cell has an effect before its turn, though
// cells are built ahead. (TestBuildingAheadHasNoEffect, TestNothingIsFetchedAhead)
//
// Nothing is left behind:
//
//   - What a cell leaves running ends with its notebook; on Linux even if it has thrown
//     off its environment and has a session of its own, at the latest with the last
//     notebook. (TestWhatIsLeftInTheBackgroundIsNotWaitedForAndCanBeKilled,
//     TestWhatHasThrownOffItsEnvironmentIsEnded)
//   - On Linux the programs of cells end with the runner, however it ends; what they have
//     started, and temporary files, are cleared away by the next run, which takes no run
//     that goes on for a dead one. (TestTheNextRunClearsUpAfterOneThatWasKilled,
//     TestARunThatBeginsIsNotTakenForDead, TestAProgramDoesNotEndWithAThread, left)
//   - A file is written whole or not at all; what a killed writer has left goes with the
//     next. (TestWriteFileLeavesNothingHalfWritten,
//     TestWriteFileClearsUpAfterWritersThatWereKilled)
//
// Copies and reports are written to their own place and through no link, and a copy is
// never written over a notebook that was run. A page of a report replaces no file other
// than such a page. (links, json, html, TestAReportOverwritesNoOtherFile)
//
// The output of a cell is text in a log and nothing else: no command of a CI system, no
// line of the summary, and no control of the terminal. Names and messages take one line
// each. (TestWhatCellsWriteIsNothingElse, TestDisplaysInWordsAreQuoted,
// TestLinesOfJSONAreNoCommands, TestACellAttachesNothingToItsCase,
// TestColoursEndWithTheCell, TestNamesAndMessagesAreOneLineEach, FuzzPlain, log) Nor is
// it HTML in a report's page, nor does it bring a script there.
// (TestNothingOfACellIsHTMLOfTheReport, TestNothingBringsAScript)
package nbrun
