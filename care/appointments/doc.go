// Package appointments shows when somebody is seen next and when they were seen, and what they still have to do.
//
// It promises:
//   - The next appointment on the home page is one that stands: booked, in the future, not cancelled.
//   - Every appointment can be found, with its state in words: cancelled, missed, only asked for.
//   - A calendar file names the practice and the time, never a reason, a clinician or a room: calendars are shared.
//
// It owns Appointment. Booking, moving and cancelling are the practice's until the next part of this room; until then
// the pages say whom to call.
package appointments
